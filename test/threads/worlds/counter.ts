/**
 * A small workload for the harness: actors add to a counter under a ticket lock and beside it,
 * hand tokens round, and count what they did in words of their own.
 */
import {
  acquireWhen,
  awaitNotEqual,
  choose,
  fetchAdd,
  readOnce,
  read,
  warnOn,
  write,
  writeOnce,
} from '../../../src/shared/operations.ts';
import type { Op } from '../../../src/shared/op.ts';
import { defineTable } from '../../../src/shared/table.ts';

export const Counter = defineTable(
  'counter',
  [],
  {
    lock: '[ANY] 0 free, 1 held',
    locked: '[ANY] additions under the lock',
    twin: '[ANY] the same again, under the same lock',
    orders: '[ASK] orders handed to the server',
    served: '[SERVE] orders it has done',
    hang: '[TEST] 1: actor 0 stops performing operations; 2: it never releases the lock',
  },
  { lineAligned: true },
);

export const Done = defineTable(
  'done[%]',
  ['actors'],
  {
    additions: '[SELF] additions of this actor',
    interrupts: '[SELF] interrupts it has handled',
    line: '[ANY] its interrupt line',
  },
  { lineAligned: true },
);

export const Stamp = defineTable('stamp[%]', ['actors'], { value: '[ANY]' }, { watched: true });

export const counterTables = [Counter, Done, Stamp];

/** What warnOn reports when the lock does not exclude. */
export const NOT_EXCLUSIVE = 1;

/** One iteration of an asker. @param self - actor. @param broken - 1: forgets the lock. */
export function* ask(self: number, broken: number): Op<void> {
  if (broken === 0) yield* acquireWhen(Counter.lock.word, 1, 0, 1);
  const before = yield* read(Counter.locked.word);
  const twin = yield* read(Counter.twin.word);
  warnOn(before !== twin, NOT_EXCLUSIVE, before, twin);
  yield* write(Counter.locked.word, (before + 1) | 0);
  yield* write(Counter.twin.word, (before + 1) | 0);
  const hang = yield* readOnce(Counter.hang.word);
  if (broken === 0 && (hang !== 2 || self !== 0)) yield* writeOnce(Counter.lock.word, 0);
  yield* write(Done.additions.at(self), ((yield* read(Done.additions.at(self))) + 1) | 0);
  yield* fetchAdd(Stamp.value.at(yield* choose(2)), 1);
  if ((yield* choose(64)) === 0) {
    yield* fetchAdd(Counter.orders.word, 1);
    yield* writeOnce(Done.line.at(yield* choose(2)), 1);
  }
  if (hang === 1 && self === 0) for (;;);
}

/** One iteration of the server: waits for orders and does them. */
export function* serveOrders(): Op<void> {
  const served = yield* readOnce(Counter.served.word);
  yield* awaitNotEqual(Counter.orders.word, -1, served);
  yield* writeOnce(Counter.served.word, (served + 1) | 0);
}

/** The interrupt handler of an actor. */
export function* handleLine(self: number): Op<void> {
  yield* writeOnce(Done.line.at(self), 0);
  yield* fetchAdd(Done.interrupts.at(self), 1);
}
