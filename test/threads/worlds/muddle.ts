/**
 * A program that does every kind of operation in an order that a number decides, on few words:
 * what lockstep must repeat exactly. An interrupt runs on the processor of actor 0.
 */
import type { Op } from '../../../src/shared/op.ts';
import {
  acquireWhen,
  awaitNotEqual,
  choose,
  cmpxchg,
  cpuRelax,
  fetchAdd,
  fetchAnd,
  fetchOr,
  loadAcquire,
  loadThrough,
  read,
  readLocal,
  readOnce,
  smpMb,
  smpRmb,
  smpWmb,
  storeRelease,
  storeThrough,
  trace,
  warnOn,
  write,
  writeLocal,
  writeOnce,
  xchg,
} from '../../../src/shared/operations.ts';
import { defineTable } from '../../../src/shared/table.ts';

export const Shared = defineTable('shared[%]', ['words'], { value: '[ANY] muddled' });
export const Lock = defineTable('lock', [], { value: '[ANY] 0 free, 1 held' });
export const Line = defineTable('line', [], { value: '[ANY] 1: interrupt actor 0' });
export const Last = defineTable('last[%]', ['actors'], { value: '[SELF] last result' });

export const muddleTables = [Shared, Lock, Line, Last];

/** A number that looks random. */
function mix(a: number, b: number, c: number): number {
  let z = (Math.imul(a, 0x9e3779b1) + Math.imul(b + 1, 0x85ebca6b) + c) | 0;
  z = Math.imul(z ^ (z >>> 15), 0x2c1b3c6d);
  z = Math.imul(z ^ (z >>> 12), 0x297a2d39);
  return (z ^ (z >>> 15)) >>> 1;
}

/** A plain or atomic load or a store, by number. */
function* loadOrStore(which: number, word: number, other: number, value: number): Op {
  switch (which) {
    case 0:
      return yield* read(word);
    case 1:
      yield* write(word, value);
      return 0;
    case 2:
      return yield* readOnce(word);
    case 3:
      yield* writeOnce(word, value);
      return 0;
    case 4:
      return yield* loadAcquire(word);
    case 5:
      yield* storeRelease(word, value);
      return 0;
    case 6:
      return yield* loadThrough(other, value & 3, word);
    default:
      return yield* storeThrough(other, value & 3, word, value);
  }
}

/** A read-modify-write, a fence or a choice, by number. */
function* modifyOrFence(which: number, word: number, value: number): Op {
  switch (which) {
    case 0:
      return yield* cmpxchg(word, value & 3, value >> 2);
    case 1:
      return yield* xchg(word, value);
    case 2:
      return yield* fetchAdd(word, value);
    case 3:
      return yield* fetchAnd(word, value);
    case 4:
      return yield* fetchOr(word, value);
    case 5:
      yield* smpMb();
      return 0;
    case 6:
      yield* smpWmb();
      yield* smpRmb();
      return 0;
    default:
      yield* cpuRelax();
      return yield* choose(5);
  }
}

/** One actor: `steps` operations, some of them under the lock, some raising the interrupt. */
export function* muddle(self: number, seed: number, steps: number, words: number): Op<void> {
  for (let i = 0; i < steps; i++) {
    const draw = mix(seed, self, i);
    const word = Shared.value.at(draw % words);
    const other = Shared.value.at((draw >> 4) % words);
    const locked = (draw >> 8) % 8 === 0;
    if (locked) yield* acquireWhen(Lock.value.word, 1, 0, 1);
    const which = (draw >> 12) % 16;
    const value = (draw >> 16) & 7;
    const last = readLocal(Last.value.at(self));
    let result = 0;
    if (which < 8) result = yield* loadOrStore(which, word, other, (value + last) & 7);
    else result = yield* modifyOrFence(which - 8, word, value);
    writeLocal(Last.value.at(self), result & 7);
    trace(1, self, i, result);
    if (locked) yield* storeRelease(Lock.value.word, 0);
    if ((draw >> 20) % 8 === 0) yield* writeOnce(Line.value.word, 1);
  }
}

/** The interrupt on the processor of actor 0. */
export function* interrupt(self: number): Op<void> {
  for (;;) {
    yield* awaitNotEqual(Line.value.word, -1, 0);
    yield* xchg(Line.value.word, 0);
    const seen = yield* readOnce(Shared.value.at(0));
    warnOn(seen > 1 << 20, 1, seen, self);
    yield* writeOnce(Shared.value.at(1), seen & 3);
  }
}
