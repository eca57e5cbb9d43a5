/**
 * The work-stealing deque of Chase and Lev (SPAA 2005): the owner works at the bottom, thieves
 * take from the top by compare-and-swap.
 *
 * Taking the last element: 1. lower the bottom. 2. full fence. 3. look at the top. 4. if they
 * meet, settle with the thieves by CAS of the top. Without the fence (broken on x86), or
 * when thieves take without a CAS, two threads get the same element.
 */
import type { Op } from '../../shared/op.ts';
import {
  cmpxchg,
  loadAcquire,
  readLocal,
  readOnce,
  smpMb,
  storeRelease,
  writeOnce,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';

const SLOTS = 4;
const ELEMENTS = 2;
const EMPTY = 0;

const RIGHT = 1;
const UNFENCED = 2;
/** Thieves move the top by a store. */
const BLIND = 3;

const Deque = defineTable('deque', [], {
  top: '[ANY] index of the oldest element',
  bottom: '[OWNER] index behind the youngest',
});
const Slot = defineTable('deque.slot[%]', ['slots'], { value: '[OWNER] element' });
const Got = defineTable('got[%]', ['threads'], { bits: '[THREAD] elements that it got' });

/** @param value - element, not 0. */
export function* dequePush(value: number): Op<void> {
  const bottom = yield* readOnce(Deque.bottom.word);
  yield* writeOnce(Slot.value.at(bottom % SLOTS), value);
  yield* storeRelease(Deque.bottom.word, bottom + 1);
}

/** @param version - RIGHT, UNFENCED or BLIND. @returns the youngest element, or EMPTY. */
export function* dequeTake(version: number): Op {
  const bottom = (yield* readOnce(Deque.bottom.word)) - 1;
  yield* writeOnce(Deque.bottom.word, bottom);
  if (version !== UNFENCED) yield* smpMb();
  const top = yield* readOnce(Deque.top.word);
  if (top > bottom) {
    yield* writeOnce(Deque.bottom.word, bottom + 1);
    return EMPTY;
  }
  const value = yield* readOnce(Slot.value.at(bottom % SLOTS));
  if (top < bottom) return value;
  const before = yield* cmpxchg(Deque.top.word, top, top + 1);
  yield* writeOnce(Deque.bottom.word, bottom + 1);
  return before === top ? value : EMPTY;
}

/** @returns the oldest element, or EMPTY if there is none or somebody was faster. */
export function* dequeSteal(version: number): Op {
  const top = yield* loadAcquire(Deque.top.word);
  yield* smpMb();
  const bottom = yield* loadAcquire(Deque.bottom.word);
  if (top >= bottom) return EMPTY;
  const value = yield* readOnce(Slot.value.at(top % SLOTS));
  if (version === BLIND) {
    yield* writeOnce(Deque.top.word, top + 1);
    return value;
  }
  return (yield* cmpxchg(Deque.top.word, top, top + 1)) === top ? value : EMPTY;
}

/** Pushes two elements and takes two. */
export function* dequeOwner(version: number): Op<void> {
  for (let i = 0; i < ELEMENTS; i++) yield* dequePush(1 << i);
  let got = 0;
  for (let i = 0; i < ELEMENTS; i++) {
    const value = yield* dequeTake(version);
    if ((got & value) !== 0) got |= 1 << ELEMENTS;
    got |= value;
  }
  yield* writeOnce(Got.bits.at(0), got);
}

/** Steals twice. @param i - number of the thread. */
export function* dequeThief(i: number, version: number): Op<void> {
  const first = yield* dequeSteal(version);
  const second = yield* dequeSteal(version);
  yield* writeOnce(Got.bits.at(i), first + second);
}

/** Every element went to exactly one thread. */
function everybodyGotTheirOwn(thieves: number): string | null {
  let all = 0;
  for (let i = 0; i <= thieves; i++) {
    const bits = readLocal(Got.bits.at(i));
    if ((all & bits) !== 0 || bits >= 1 << ELEMENTS) return 'an element was handed out twice';
    all |= bits;
  }
  return all === (1 << ELEMENTS) - 1 ? null : 'an element is lost';
}

function chaseLevProgram(name: string, about: string, version: number): Program {
  return {
    name,
    about,
    param: { counts: 'thieves', least: 1, usual: 1 },
    tables: [Deque, Slot, Got],
    config: (n) => ({ slots: SLOTS, threads: n + 1 }),
    actors: (n) => [
      { name: 'owner', body: () => dequeOwner(version) },
      ...threads(n, 'thief', (i) => dequeThief(i + 1, version)),
    ],
    final: everybodyGotTheirOwn,
  };
}

export const chaseLev = chaseLevProgram(
  'chase-lev',
  'The deque of Chase and Lev: the owner pushes and takes two elements, n thieves steal twice.',
  RIGHT,
);
export const chaseLevUnfenced = chaseLevProgram(
  'chase-lev-unfenced',
  'The deque of Chase and Lev without its fence: right under SC, broken under TSO.',
  UNFENCED,
);
export const chaseLevWrong = chaseLevProgram(
  'chase-lev-wrong',
  'A deque whose thieves move the top by a store.',
  BLIND,
);
