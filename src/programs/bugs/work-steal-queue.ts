/**
 * The work-stealing queue of CHESS (Cilk's THE protocol, Frigo, Leiserson and Randall, PLDI 1998;
 * in SCTBench with its third planted bug): the owner pushes and pops at the tail without a lock,
 * stealers take from the head under one.
 *
 * Push must leave one slot free (tail < head + mask), for a stealer may have advanced the head
 * already while it still reads the element. The wrong version fills that slot.
 *
 * A full queue is moved to a larger array: `base` is where it starts in the slots.
 */
import type { Op } from '../../shared/op.ts';
import {
  acquireWhen,
  read,
  readLocal,
  readOnce,
  storeRelease,
  write,
  xchg,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';

const FIRST_SIZE = 2;
/** All arrays that the queue may have, one behind the other: 2 + 4 + 8. */
const SLOTS = 14;
const NONE = 0;

const Queue = defineTable('wsq', [], {
  lock: '[ANY] 1 while held',
  head: '[STEALER] first element',
  tail: '[OWNER] behind the last element',
  mask: '[OWNER] size of the array - 1',
  base: '[OWNER] first slot of the array',
});
const Slot = defineTable('wsq.slot[%]', ['slots'], { item: '[OWNER] number of the item' });
const Item = defineTable('item[%]', ['items'], { runs: '[ANY] how often it was run' });

/** An empty queue. */
export function* wsqSetup(): Op<void> {
  yield* write(Queue.mask.word, FIRST_SIZE - 1);
}

function* slotOf(index: number): Op {
  const base = yield* read(Queue.base.word);
  return Slot.item.at(base + (index & (yield* read(Queue.mask.word))));
}

function* run(item: number): Op<void> {
  const before = yield* read(Item.runs.at(item));
  yield* write(Item.runs.at(item), before + 1);
}

/** Takes the oldest item. @returns it, or NONE. */
export function* wsqSteal(): Op {
  let item = NONE;
  yield* acquireWhen(Queue.lock.word, -1, 0, 1);
  const head = yield* readOnce(Queue.head.word);
  yield* xchg(Queue.head.word, head + 1);
  if (head < (yield* readOnce(Queue.tail.word))) item = yield* read(yield* slotOf(head));
  else yield* xchg(Queue.head.word, head);
  yield* storeRelease(Queue.lock.word, 0);
  return item;
}

/** Takes the youngest item. @returns it, or NONE. */
export function* wsqPop(): Op {
  const tail = (yield* readOnce(Queue.tail.word)) - 1;
  yield* xchg(Queue.tail.word, tail);
  if ((yield* readOnce(Queue.head.word)) <= tail) return yield* read(yield* slotOf(tail));
  yield* xchg(Queue.tail.word, tail + 1);
  return yield* popUnderLock();
}

function* popUnderLock(): Op {
  let item = NONE;
  yield* acquireWhen(Queue.lock.word, -1, 0, 1);
  const tail = (yield* readOnce(Queue.tail.word)) - 1;
  yield* xchg(Queue.tail.word, tail);
  if ((yield* readOnce(Queue.head.word)) <= tail) item = yield* read(yield* slotOf(tail));
  else yield* xchg(Queue.tail.word, tail + 1);
  if ((yield* readOnce(Queue.head.word)) > tail) {
    yield* xchg(Queue.head.word, 0);
    yield* xchg(Queue.tail.word, 0);
    item = NONE;
  }
  yield* storeRelease(Queue.lock.word, 0);
  return item;
}

/** @param item - number, not NONE. @param spare - 1: leaves a slot free, 0: fills it. */
export function* wsqPush(item: number, spare: number): Op<void> {
  const tail = yield* readOnce(Queue.tail.word);
  const head = yield* readOnce(Queue.head.word);
  const mask = yield* read(Queue.mask.word);
  if (tail < head + mask + 1 - spare) {
    yield* write(yield* slotOf(tail), item);
    yield* xchg(Queue.tail.word, tail + 1);
  } else {
    yield* pushUnderLock(item);
  }
}

function* pushUnderLock(item: number): Op<void> {
  yield* acquireWhen(Queue.lock.word, -1, 0, 1);
  let head = yield* readOnce(Queue.head.word);
  const count = (yield* readOnce(Queue.tail.word)) - head;
  const mask = yield* read(Queue.mask.word);
  head &= mask;
  yield* xchg(Queue.head.word, head);
  yield* xchg(Queue.tail.word, head + count);
  if (count >= mask) yield* enlarge(head, count, mask);
  const tail = yield* readOnce(Queue.tail.word);
  yield* write(yield* slotOf(tail), item);
  yield* xchg(Queue.tail.word, tail + 1);
  yield* storeRelease(Queue.lock.word, 0);
}

function* enlarge(head: number, count: number, mask: number): Op<void> {
  const base = yield* read(Queue.base.word);
  const larger = base + mask + 1;
  for (let i = 0; i < count; i++) {
    const item = yield* read(Slot.item.at(base + ((head + i) & mask)));
    yield* write(Slot.item.at(larger + i), item);
  }
  yield* write(Queue.base.word, larger);
  yield* write(Queue.mask.word, 2 * mask + 1);
  yield* xchg(Queue.head.word, 0);
  yield* xchg(Queue.tail.word, count);
}

/** Pushes all items by twos, pops one after each two, then pops the rest. */
export function* wsqOwner(items: number, spare: number): Op<void> {
  for (let item = 1; item < items; item += 2) {
    yield* wsqPush(item, spare);
    yield* wsqPush(item + 1, spare);
    const popped = yield* wsqPop();
    if (popped !== NONE) yield* run(popped);
  }
  for (let i = 0; i < items; i += 2) {
    const popped = yield* wsqPop();
    if (popped !== NONE) yield* run(popped);
  }
}

/** Steals twice. */
export function* wsqStealer(): Op<void> {
  for (let i = 0; i < 2; i++) {
    const item = yield* wsqSteal();
    if (item !== NONE) yield* run(item);
  }
}

function everyItemRanOnce(items: number): string | null {
  for (let item = 1; item <= items; item++) {
    const runs = readLocal(Item.runs.at(item));
    if (runs !== 1) return `item ${item} ran ${runs} times`;
  }
  return null;
}

function wsqProgram(name: string, about: string, spare: number): Program {
  return {
    name,
    about,
    param: { counts: 'items, by twos', least: 2, usual: 4 },
    tables: [Queue, Slot, Item],
    config: (n) => ({ slots: SLOTS, items: n + 1 }),
    setup: wsqSetup,
    actors: (n) => [
      { name: 'owner', body: () => wsqOwner(n, spare) },
      ...threads(1, 'stealer', () => wsqStealer()),
    ],
    final: everyItemRanOnce,
  };
}

export const workStealQueue = wsqProgram(
  'work-steal-queue',
  'The work-stealing queue of CHESS: an owner with n items, a stealer that steals twice.',
  1,
);
export const workStealQueueWrong = wsqProgram(
  'work-steal-queue-wrong',
  'The work-stealing queue whose push fills the slot that a stealer may still be reading.',
  0,
);
