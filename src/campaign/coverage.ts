/**
 * What executions have shown: ordered pairs of accesses by different actors to the same word, one
 * of them a write. An access is known by its kind, who made it (the step of a fuzzed program, the
 * actor of a scenario), and the table and field of the word; so the pair says "this step's read of
 * page.refcount after that step's write", whichever page it was. Pairs are kept in a bitmap under a
 * hash.
 */
import type { Fibers } from '../explore/fibers.ts';
import { INSERTS, READS } from '../explore/model.ts';
import type { Strategy } from '../explore/strategy.ts';
import { FuzzActor } from '../corpus/fuzz/tables.ts';
import { peek } from '../oracle/shadow-words.ts';
import type { Machine } from '../shared/layout.ts';

const BITS = 18;
/** Stands for the step of an actor that has no program: kernel threads, then interrupts. */
const KERNEL_STEP = 30;
const INTERRUPT_STEP = 31;
const PLACES = 32;

/** Pairs seen so far. */
export class PairCoverage {
  private readonly bitmap = new Int32Array(1 << (BITS - 5));
  /** Different pairs, but for those that share a hash. */
  count = 0;

  /** Notes a pair. */
  add(field: number, before: number, after: number): void {
    let hash = Math.imul(field, 0x9e3779b1) ^ Math.imul(before, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ after, 0xc2b2ae35);
    hash = (hash ^ (hash >>> 13)) >>> (32 - BITS);
    const bit = 1 << (hash & 31);
    const word = hash >>> 5;
    if (((this.bitmap[word] as number) & bit) !== 0) return;
    this.bitmap[word] = (this.bitmap[word] as number) | bit;
    this.count++;
  }

  /** The numbers of all bits that are set, in order. */
  bits(): number[] {
    const found: number[] = [];
    this.bitmap.forEach((word, i) => {
      for (let left = word; left !== 0; left &= left - 1) {
        found.push(i * 32 + 31 - Math.clz32(left & -left));
      }
    });
    return found;
  }
}

/** For each word of a machine, a number of its table and field. */
function fieldsOf(machine: Machine): Uint16Array {
  const fields = new Uint16Array(machine.words.length);
  let next = 1;
  for (const { from, words, stride } of machine.places) {
    for (let i = 0; i < words; i++) fields[from + i] = next + (i % stride);
    next += stride;
  }
  return fields;
}

/** Who makes an access: a number below PLACES. */
export type PlaceOf = (fibers: Fibers, actor: number) => number;

/** Of a scenario: its actors; what interrupts them stands behind them. */
export const actorPlace: PlaceOf = (_fibers, actor) => Math.min(actor, PLACES - 1);

/** Of a fuzzed program: the step that is under way. @param threads - actors that run programs. */
export function stepPlace(threads: number): PlaceOf {
  return (fibers, actor) => {
    if (actor < threads) return peek(FuzzActor.op.at(actor + 1));
    return fibers.pending.interrupt[actor] === 1 ? INTERRUPT_STEP : KERNEL_STEP;
  };
}

/** A strategy whose executions are seen by a coverage. */
export class Covered implements Strategy {
  readonly name: string;
  readonly exhaustive: boolean;
  private readonly inner: Strategy;
  private readonly coverage: PairCoverage;
  private readonly fields: Uint16Array;
  private readonly placeOf: PlaceOf;
  /** Of each word: who accessed it last, how, and in which execution. */
  private readonly lastActor: Int16Array;
  private readonly lastPlace: Int32Array;
  private readonly lastRun: Int32Array;
  private run = 0;

  constructor(inner: Strategy, coverage: PairCoverage, machine: Machine, placeOf: PlaceOf) {
    this.name = inner.name;
    this.exhaustive = inner.exhaustive;
    this.inner = inner;
    this.coverage = coverage;
    this.fields = fieldsOf(machine);
    this.placeOf = placeOf;
    const words = machine.words.length;
    this.lastActor = new Int16Array(words);
    this.lastPlace = new Int32Array(words);
    this.lastRun = new Int32Array(words);
  }

  start(fibers: Fibers): boolean {
    this.run++;
    return this.inner.start(fibers);
  }

  pick(fibers: Fibers): number {
    return this.inner.pick(fibers);
  }

  choose(fibers: Fibers, count: number): number {
    return this.inner.choose(fibers, count);
  }

  performed(fibers: Fibers, process: number): void {
    this.inner.performed(fibers, process);
    const { model } = fibers;
    if (model.effect <= INSERTS) return;
    const flush = process >= fibers.count;
    const kind = flush ? model.flushedKind : (fibers.pending.kind[process] as number);
    const actor = flush ? (fibers.pending.cpu[process - fibers.count] ?? 0) : process;
    this.note(fibers, actor, kind, model.touched, model.effect > READS);
  }

  private note(fibers: Fibers, actor: number, kind: number, word: number, writes: boolean): void {
    const place = ((kind * PLACES + this.placeOf(fibers, actor)) << 1) | (writes ? 1 : 0);
    const before = this.lastPlace[word] as number;
    const seen = this.lastRun[word] === this.run && this.lastActor[word] !== actor;
    if (seen && ((before | place) & 1) !== 0) {
      this.coverage.add(this.fields[word] as number, before, place);
    }
    this.lastRun[word] = this.run;
    this.lastActor[word] = actor;
    this.lastPlace[word] = place;
  }

  end(fibers: Fibers): boolean {
    return this.inner.end(fibers);
  }
}
