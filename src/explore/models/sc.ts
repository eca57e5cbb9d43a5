/** Sequential consistency: every operation takes effect on memory at once. */
import { isEnabled, performOn } from '../../shared/engine.ts';
import {
  ACQUIRE_WHEN,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  CHOOSE,
  CMPXCHG,
  FETCH_ADD,
  FETCH_AND,
  FETCH_OR,
  LOAD_THROUGH,
  RELAX,
  SMP_MB,
  SMP_RMB,
  SMP_WMB,
  STORE_RELEASE,
  STORE_THROUGH,
  WRITE,
  WRITE_ONCE,
  XCHG,
} from '../../shared/kinds.ts';
import { mem } from '../../shared/memory.ts';
import type { MemoryModel, Pending } from '../model.ts';
import { LOCAL, READS, WRITES } from '../model.ts';

/**
 * What an operation of this kind does to its word. A CAS that fails only reads. A guarded access
 * counts as one whether or not it retires: what it conflicts with must not hang on the guard, or
 * partial-order reduction would miss executions.
 */
export function effectOf(kind: number): number {
  switch (kind) {
    case SMP_MB:
    case SMP_WMB:
    case SMP_RMB:
    case RELAX:
    case CHOOSE:
      return LOCAL;
    case WRITE:
    case WRITE_ONCE:
    case STORE_RELEASE:
    case STORE_THROUGH:
    case CMPXCHG:
    case XCHG:
    case FETCH_ADD:
    case FETCH_AND:
    case FETCH_OR:
    case ACQUIRE_WHEN:
      return WRITES;
    default:
      return READS;
  }
}

/** Effects by kind, looked up at every event. */
export const EFFECTS: Int32Array = Int32Array.from({ length: 32 }, (_, kind) => effectOf(kind));

export class SequentialConsistency implements MemoryModel {
  readonly name = 'sc';
  readonly buffers = 0;
  effect = LOCAL;
  touched = 0;
  guard = -1;
  readonly guardOrdinal = -1;
  before = 0;
  after = 0;
  readonly ordinal = -1;
  readonly flushedKind = 0;
  private readonly pending: Pending;
  constructor(pending: Pending) {
    this.pending = pending;
  }
  reset(): void {
    this.effect = LOCAL;
  }
  waits(kind: number): boolean {
    return kind === AWAIT_EQUAL || kind === AWAIT_NOT_EQUAL || kind === ACQUIRE_WHEN;
  }
  enabled(actor: number): boolean {
    const { kind, word, a, b } = this.pending;
    return isEnabled(kind[actor], word[actor], a[actor], b[actor]);
  }
  perform(actor: number): number {
    const { pending } = this;
    const kind = pending.kind[actor];
    const word = pending.word[actor];
    const a = pending.a[actor];
    this.effect = EFFECTS[kind];
    this.touched = word;
    this.guard = -1;
    this.before = mem[word];
    const result = performOn(kind, word, a, pending.b[actor], pending.c[actor]);
    this.after = mem[word];
    if (kind === CMPXCHG && result !== a) this.effect = READS;
    else if (kind === LOAD_THROUGH || kind === STORE_THROUGH) this.guard = pending.b[actor];
    return result;
  }
  drains(): boolean {
    return false;
  }
  canFlush(): boolean {
    return false;
  }
  flush(): number {
    return 0;
  }
  flushWord(): number {
    return -1;
  }
}
