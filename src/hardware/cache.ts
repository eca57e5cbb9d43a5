/**
 * The data cache of CPUs whose devices do not snoop it, as on many ARM machines (ARM Architecture
 * Reference Manual ARMv7-A, B2.2). The CPUs are coherent among themselves, so there is one cache
 * for all; DMA goes past it to memory. A line is one word of a frame, and only a speculative event
 * (cache-speculation.ts), a store or a maintenance operation moves one: the capacity is all memory.
 *
 *   load    hit: the line's value. miss: 1. memory. 2. the line is filled with what came.
 *   store   into the line, which is dirty from then on; memory keeps the old value.
 *   clean   a dirty line is written back and stays valid (DC CVAC).
 *   invalidate   the line goes, and with it a value that was not written back (DC IVAC).
 *   clean and invalidate   both (DC CIVAC). An eviction is the same.
 *
 * CacheLine.lock   one transaction of a line at a time; protects state and value, which are local
 *                  to whoever holds it
 * Between the load of memory and the filling of the line a device may store to memory: the line is
 * stale from its birth, as in life.
 *
 * Frames that can hold page tables are not cached: the walker of these machines snoops the cache.
 * Not modelled: lines of several words, levels, store buffers in front of the cache (an access
 * through the cache drains them), caches that alias by virtual address.
 */
import type { Op } from '../shared/op.ts';
import { LOST } from '../shared/kinds.ts';
import {
  acquireWhen,
  loadThrough,
  readLocal,
  readOnce,
  storeRelease,
  storeThrough,
  writeLocal,
  writeOnce,
} from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { frameWord } from './paging.ts';
import { Params, ptFrameCount } from './params.ts';

/** CacheLine.state: nothing is kept. */
export const LINE_INVALID = 0;
/** CacheLine.state: the value that memory had when the line was filled or cleaned. */
export const LINE_CLEAN = 1;
/** CacheLine.state: a value that memory does not have yet. */
export const LINE_DIRTY = 2;

/** Operation of cacheMaintain: write back. */
export const CACHE_CLEAN = 1;
/** Operation of cacheMaintain: drop. Together with CACHE_CLEAN: write back, then drop. */
export const CACHE_INVALIDATE = 2;

export const CacheLine = defineTable(
  'cache.frame[%].line[%]',
  ['cacheFrames', 'frameWords'],
  {
    lock: '[CPU] 1 while a transaction of the line is under way',
    state: '[CPU] LINE_*; under lock',
    value: '[CPU] what CPUs read and write; under lock',
  },
  { watched: true },
);

/** Is there a cache between CPUs and memory that DMA does not see? */
export function nonCoherent(): boolean {
  return readLocal(Params.nonCoherent.word) !== 0;
}

/** Is this frame kept in the cache? */
export function isCached(mfn: number): boolean {
  return nonCoherent() && mfn >= ptFrameCount();
}

function* lockLine(mfn: number, offset: number): Op<void> {
  yield* acquireWhen(CacheLine.lock.at2(mfn, offset), -1, 0, 1);
}

function* unlockLine(mfn: number, offset: number): Op<void> {
  yield* storeRelease(CacheLine.lock.at2(mfn, offset), 0);
}

/**
 * A load by an instruction through the cache. Arguments as loadThrough of operations.ts.
 * @param mfn - frame. @param offset - word in it. @returns the value, or LOST.
 */
export function* cachedLoad(guard: number, expected: number, mfn: number, offset: number): Op {
  if (!isCached(mfn)) return yield* loadThrough(guard, expected, frameWord(mfn, offset));
  const state = CacheLine.state.at2(mfn, offset);
  const line = CacheLine.value.at2(mfn, offset);
  yield* lockLine(mfn, offset);
  let value = 0;
  if (readLocal(state) !== LINE_INVALID) {
    value = yield* loadThrough(guard, expected, line);
  } else {
    value = yield* loadThrough(guard, expected, frameWord(mfn, offset));
    if (value !== LOST) {
      writeLocal(line, value);
      writeLocal(state, LINE_CLEAN);
    }
  }
  yield* unlockLine(mfn, offset);
  return value;
}

/** The store to go with cachedLoad. @param value - what to store. @returns 0, or LOST. */
export function* cachedStore(
  guard: number,
  expected: number,
  mfn: number,
  offset: number,
  value: number,
): Op {
  if (!isCached(mfn)) return yield* storeThrough(guard, expected, frameWord(mfn, offset), value);
  yield* lockLine(mfn, offset);
  const done = yield* storeThrough(guard, expected, CacheLine.value.at2(mfn, offset), value);
  if (done !== LOST) writeLocal(CacheLine.state.at2(mfn, offset), LINE_DIRTY);
  yield* unlockLine(mfn, offset);
  return done;
}

/** Does to a line whose lock is held what an operation says. */
function* maintainLocked(mfn: number, offset: number, operation: number): Op<void> {
  const state = CacheLine.state.at2(mfn, offset);
  if ((operation & CACHE_CLEAN) !== 0 && readLocal(state) === LINE_DIRTY) {
    yield* writeOnce(frameWord(mfn, offset), readLocal(CacheLine.value.at2(mfn, offset)));
    writeLocal(state, LINE_CLEAN);
  }
  if ((operation & CACHE_INVALIDATE) !== 0) writeLocal(state, LINE_INVALID);
}

/**
 * Cache maintenance of a word by machine address, as the hypervisor does it through a mapping of
 * its own. @param operation - CACHE_* bits.
 */
export function* cacheMaintain(mfn: number, offset: number, operation: number): Op<void> {
  if (!isCached(mfn)) return;
  yield* lockLine(mfn, offset);
  yield* maintainLocked(mfn, offset, operation);
  yield* unlockLine(mfn, offset);
}

/**
 * Cache maintenance by an instruction whose address was translated before: DC CVAC and so on.
 * @param guard - Vcpu.tlbSequence. @param expected - its value at the translation.
 * @param operation - CACHE_* bits. @returns 0, or LOST.
 */
export function* cachedMaintain(
  guard: number,
  expected: number,
  mfn: number,
  offset: number,
  operation: number,
): Op {
  if (!isCached(mfn)) return 0;
  yield* lockLine(mfn, offset);
  const seen = yield* loadThrough(guard, expected, CacheLine.state.at2(mfn, offset));
  if (seen !== LOST) yield* maintainLocked(mfn, offset, operation);
  yield* unlockLine(mfn, offset);
  return seen === LOST ? LOST : 0;
}

/** A line is filled from memory without an access. Nothing happens if it is valid. */
export function* cacheFill(mfn: number, offset: number): Op<void> {
  if (!isCached(mfn)) return;
  const state = CacheLine.state.at2(mfn, offset);
  yield* lockLine(mfn, offset);
  if (readLocal(state) === LINE_INVALID) {
    writeLocal(CacheLine.value.at2(mfn, offset), yield* readOnce(frameWord(mfn, offset)));
    writeLocal(state, LINE_CLEAN);
  }
  yield* unlockLine(mfn, offset);
}
