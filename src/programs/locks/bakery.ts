/**
 * Lamport's bakery (CACM 1974): a thread takes a number larger than all it sees and waits for the
 * smaller ones. Two may take the same number, for taking is no single step; then the thread's own
 * number decides, and `choosing` keeps others from looking in between.
 */
import type { Op } from '../../shared/op.ts';
import { awaitEqual, awaitNotEqual, readOnce, smpMb, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { criticalSection, lockProgram } from './critical-section.ts';

const Bakery = defineTable('bakery[%]', ['threads'], {
  choosing: '[OWNER] 1 while it takes a number',
  number: '[OWNER] its number, 0 if it wants nothing',
});

const RIGHT = 1;
const UNFENCED = 2;
/** Does not say that it is taking a number. */
const HIDES_CHOICE = 3;

/** Enters once. @param count - threads. @param version - RIGHT, UNFENCED or HIDES_CHOICE. */
export function* bakeryThread(i: number, count: number, version: number): Op<void> {
  const mine = yield* takeNumber(i, count, version);
  for (let j = 0; j < count; j++) {
    if (j === i) continue;
    if (version !== HIDES_CHOICE) yield* awaitEqual(Bakery.choosing.at(j), -1, 0);
    yield* waitFor(j, i, mine);
  }
  yield* criticalSection();
  yield* writeOnce(Bakery.number.at(i), 0);
}

function* takeNumber(i: number, count: number, version: number): Op {
  if (version !== HIDES_CHOICE) {
    yield* writeOnce(Bakery.choosing.at(i), 1);
    if (version !== UNFENCED) yield* smpMb();
  }
  let largest = 0;
  for (let j = 0; j < count; j++) {
    if (j === i) continue;
    const number = yield* readOnce(Bakery.number.at(j));
    if (number > largest) largest = number;
  }
  yield* writeOnce(Bakery.number.at(i), largest + 1);
  if (version !== HIDES_CHOICE) yield* writeOnce(Bakery.choosing.at(i), 0);
  if (version !== UNFENCED) yield* smpMb();
  return largest + 1;
}

/** Waits until thread j wants nothing or comes after thread i. */
function* waitFor(j: number, i: number, mine: number): Op<void> {
  for (;;) {
    const number = yield* readOnce(Bakery.number.at(j));
    if (number === 0 || number > mine || (number === mine && j > i)) return;
    yield* awaitNotEqual(Bakery.number.at(j), -1, number);
  }
}

const tables = [Bakery];
const config = (n: number): { threads: number } => ({ threads: n });

export const bakery = lockProgram({
  name: 'bakery',
  about: "Lamport's bakery with full fences around the taking of a number.",
  tables,
  threads: 2,
  config,
  body: (i, n) => bakeryThread(i, n, RIGHT),
});
export const bakeryUnfenced = lockProgram({
  name: 'bakery-unfenced',
  about: "Lamport's bakery without fences: right under SC, broken under TSO.",
  tables,
  threads: 2,
  config,
  body: (i, n) => bakeryThread(i, n, UNFENCED),
});
export const bakeryWrong = lockProgram({
  name: 'bakery-wrong',
  about: 'A bakery whose threads do not say that they are taking a number.',
  tables,
  threads: 2,
  config,
  body: (i, n) => bakeryThread(i, n, HIDES_CHOICE),
});
