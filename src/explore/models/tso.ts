/**
 * Total store order (x86): a first-in first-out store buffer for each processor. A store goes
 * into the buffer; its flush to memory is an event of its own; loads look into their own buffer
 * first; locked operations, full fences and the delivery of an interrupt wait until the buffer is
 * empty (Owens, Sarkar, Sewell, "A better x86 memory model", 2009; Intel SDM vol. 3, 12.10, for
 * interrupts). Actors of one processor share its buffer.
 */
import { performOn } from '../../shared/engine.ts';
import {
  ACQUIRE_WHEN,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  CMPXCHG,
  LOAD_THROUGH,
  LOST,
  SMP_MB,
  STORE_RELEASE,
  STORE_THROUGH,
  WRITE,
  WRITE_ONCE,
  FETCH_OR,
} from '../../shared/kinds.ts';
import { mem, poke } from '../../shared/memory.ts';
import type { MemoryModel, Pending } from '../model.ts';
import { INSERTS, LOCAL, READS, READS_OWN, WRITES } from '../model.ts';
import { EFFECTS } from './sc.ts';

/** Stores that a buffer holds at most; a store into a full buffer waits for a flush. */
export const CAPACITY = 64;
const SLOT_MASK = CAPACITY - 1;

export class TotalStoreOrder implements MemoryModel {
  readonly name = 'tso';
  readonly buffers: number;
  effect = LOCAL;
  touched = 0;
  guard = -1;
  guardOrdinal = -1;
  before = 0;
  after = 0;
  ordinal = -1;
  flushedKind = 0;
  private readonly pending: Pending;
  private readonly words: Int32Array;
  private readonly values: Int32Array;
  private readonly kinds: Int32Array;
  private readonly storers: Int32Array;
  /** Stores ever flushed and ever inserted, by buffer: the difference is what it holds. */
  private readonly flushed: Int32Array;
  private readonly inserted: Int32Array;

  constructor(pending: Pending, buffers: number) {
    this.pending = pending;
    this.buffers = buffers;
    this.words = new Int32Array(buffers * CAPACITY);
    this.values = new Int32Array(buffers * CAPACITY);
    this.kinds = new Int32Array(buffers * CAPACITY);
    this.storers = new Int32Array(buffers * CAPACITY);
    this.flushed = new Int32Array(buffers);
    this.inserted = new Int32Array(buffers);
  }

  reset(): void {
    this.flushed.fill(0);
    this.inserted.fill(0);
  }

  waits(kind: number): boolean {
    return isLocked(kind) || isWait(kind) || isStore(kind);
  }

  drains(kind: number, interrupt: boolean): boolean {
    return isLocked(kind) || (interrupt && isWait(kind));
  }

  enabled(actor: number): boolean {
    const { pending } = this;
    const kind = pending.kind[actor];
    const cpu = pending.cpu[actor];
    const held = this.inserted[cpu] - this.flushed[cpu];
    if (isStore(kind)) return held < CAPACITY;
    if (held > 0 && this.drains(kind, pending.interrupt[actor] === 1)) {
      return false;
    }
    const value = isWait(kind) ? this.load(cpu, pending.word[actor]) : 0;
    if (kind === AWAIT_NOT_EQUAL) return (value & pending.a[actor]) !== pending.b[actor];
    return !isWait(kind) || (value & pending.a[actor]) === pending.b[actor];
  }

  perform(actor: number): number {
    const { pending } = this;
    const kind = pending.kind[actor];
    const word = pending.word[actor];
    const cpu = pending.cpu[actor];
    this.effect = EFFECTS[kind];
    this.touched = word;
    this.guard = -1;
    this.guardOrdinal = -1;
    this.ordinal = -1;
    if (kind === LOAD_THROUGH || kind === STORE_THROUGH) {
      this.guard = pending.b[actor];
      this.guardOrdinal = this.youngest(cpu, this.guard);
      if (this.load(cpu, this.guard) !== pending.c[actor]) {
        if (kind === LOAD_THROUGH) this.loadFor(cpu, word);
        else this.effect = LOCAL;
        return LOST;
      }
    }
    if (this.effect === LOCAL) return 0;
    if (isStore(kind)) {
      this.insert(actor, cpu);
      return 0;
    }
    if (this.effect === READS) {
      return this.loadFor(cpu, word);
    }
    const a = pending.a[actor];
    this.before = mem[word];
    const result = performOn(kind, word, a, pending.b[actor], pending.c[actor]);
    this.after = mem[word];
    if (kind === CMPXCHG && result !== a) this.effect = READS;
    return result;
  }

  private loadFor(cpu: number, word: number): number {
    const store = this.youngest(cpu, word);
    this.effect = store < 0 ? READS : READS_OWN;
    this.ordinal = store;
    this.before = store < 0 ? mem[word] : this.values[cpu * CAPACITY + (store & SLOT_MASK)];
    this.after = this.before;
    return this.before;
  }

  private insert(actor: number, cpu: number): void {
    const { pending } = this;
    this.ordinal = this.inserted[cpu]++;
    const slot = cpu * CAPACITY + (this.ordinal & SLOT_MASK);
    this.words[slot] = pending.word[actor];
    this.values[slot] = pending.a[actor];
    this.kinds[slot] = pending.kind[actor];
    this.storers[slot] = actor;
    this.effect = INSERTS;
  }

  /** The youngest buffered store of a word. @returns its ordinal, or -1. */
  private youngest(cpu: number, word: number): number {
    for (let i = this.inserted[cpu] - 1; i >= this.flushed[cpu]; i--) {
      if (this.words[cpu * CAPACITY + (i & SLOT_MASK)] === word) return i;
    }
    return -1;
  }

  private load(cpu: number, word: number): number {
    const store = this.youngest(cpu, word);
    return store < 0 ? mem[word] : this.values[cpu * CAPACITY + (store & SLOT_MASK)];
  }

  canFlush(buffer: number): boolean {
    return this.inserted[buffer] !== this.flushed[buffer];
  }

  flush(buffer: number): number {
    this.ordinal = this.flushed[buffer]++;
    const slot = buffer * CAPACITY + (this.ordinal & SLOT_MASK);
    const word = this.words[slot];
    this.effect = WRITES;
    this.touched = word;
    this.guard = -1;
    this.guardOrdinal = -1;
    this.before = mem[word];
    poke(word, this.values[slot]);
    this.after = mem[word];
    this.flushedKind = this.kinds[slot];
    return this.storers[slot];
  }

  flushWord(buffer: number): number {
    return this.words[buffer * CAPACITY + (this.flushed[buffer] & SLOT_MASK)];
  }
}

export function isStore(kind: number): boolean {
  return kind === WRITE || kind === WRITE_ONCE || kind === STORE_RELEASE || kind === STORE_THROUGH;
}

export function isWait(kind: number): boolean {
  return kind === AWAIT_EQUAL || kind === AWAIT_NOT_EQUAL || kind === ACQUIRE_WHEN;
}

function isLocked(kind: number): boolean {
  return (kind >= CMPXCHG && kind <= FETCH_OR) || kind === SMP_MB || kind === ACQUIRE_WHEN;
}
