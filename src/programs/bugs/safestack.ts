/**
 * SafeStack (posted by Vyukov to the CHESS forum in 2010; SCTBench): an array-based free list
 * whose pops take the successor out of an element before they claim it. Three threads that pop and
 * push twice can end up with one element in two hands; hardly any schedule shows it.
 *
 * Where the original spins for ever, a pop here tries PATIENCE times and then gives the execution
 * up: a try that fails changes nothing for the others, so a schedule that has the thread come later
 * shows the same.
 */
import type { Op } from '../../shared/op.ts';
import {
  cmpxchg,
  cpuRelax,
  fetchAdd,
  loadAcquire,
  read,
  storeRelease,
  write,
  writeOnce,
  xchg,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat, assume, threads } from '../program.ts';

const ROUNDS = 2;
const NONE = -1;
const PATIENCE = 100;

const SafeStack = defineTable('safestack', [], {
  head: '[ANY] index of the first element',
  count: '[ANY] elements in the list',
});
const Element = defineTable('element[%]', ['elements'], {
  next: '[ANY] index of the next, NONE behind the last or while a pop holds it',
  value: '[OWNER] number of the thread that has it',
});

/** All elements are in the list, in order. @param count - elements. */
export function* safestackSetup(count: number): Op<void> {
  yield* writeOnce(SafeStack.count.word, count);
  for (let i = 0; i < count; i++) {
    yield* writeOnce(Element.next.at(i), i === count - 1 ? NONE : i + 1);
  }
}

/** @returns the index of an element that now belongs to the caller. */
export function* safestackPop(): Op {
  for (let tries = 0; tries < PATIENCE; tries++) {
    if ((yield* loadAcquire(SafeStack.count.word)) > 1) {
      const head = yield* loadAcquire(SafeStack.head.word);
      const next = yield* xchg(Element.next.at(head), NONE);
      if (next >= 0) {
        if ((yield* cmpxchg(SafeStack.head.word, head, next)) === head) {
          yield* fetchAdd(SafeStack.count.word, -1);
          return head;
        }
        yield* xchg(Element.next.at(head), next);
        continue;
      }
    }
    yield* cpuRelax();
  }
  yield* assume(false);
  return NONE;
}

/** @param index - element that belongs to the caller. */
export function* safestackPush(index: number): Op<void> {
  let head = yield* loadAcquire(SafeStack.head.word);
  for (;;) {
    yield* storeRelease(Element.next.at(index), head);
    const before = yield* cmpxchg(SafeStack.head.word, head, index);
    if (before === head) break;
    head = before;
  }
  yield* fetchAdd(SafeStack.count.word, 1);
}

/** Pops, marks the element, looks whether the mark is still there, pushes; twice. */
export function* safestackThread(i: number): Op<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const index = yield* safestackPop();
    yield* write(Element.value.at(index), i);
    const value = yield* read(Element.value.at(index));
    assertThat(value === i, value, i);
    yield* safestackPush(index);
  }
}

export const safestack: Program = {
  name: 'safestack',
  about: "Vyukov's SafeStack: n threads pop and push twice; an element can be in two hands.",
  param: { counts: 'threads, and elements', least: 2, usual: 3 },
  tables: [SafeStack, Element],
  config: (n) => ({ elements: n }),
  setup: safestackSetup,
  actors: (n) => threads(n, 'thread', (i) => safestackThread(i)),
};
