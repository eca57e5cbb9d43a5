/**
 * Lamport's fast mutual exclusion (ACM TOCS 1987, algorithm 2): seven accesses if nobody else
 * wants to enter. Threads are numbered from 1; y = 0 means that the lock is free.
 */
import type { Op } from '../../shared/op.ts';
import { awaitEqual, readOnce, smpMb, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { criticalSection, lockProgram } from './critical-section.ts';

const Fast = defineTable('lamport', [], {
  x: '[ANY] who tried last',
  y: '[ANY] who is on the fast path, 0 if nobody',
});
const Want = defineTable('lamport.b[%]', ['threads'], { value: '[OWNER] 1: wants to enter' });

const RIGHT = 1;
const UNFENCED = 2;
/** Does not look whether somebody tried after it. */
const TRUSTS_Y = 3;

/** Enters once. @param count - threads. @param version - RIGHT, UNFENCED or TRUSTS_Y. */
export function* lamportFastThread(i: number, count: number, version: number): Op<void> {
  while ((yield* tryToEnter(i, count, version)) === 0) {
    yield* awaitEqual(Fast.y.word, -1, 0);
  }
  yield* criticalSection();
  yield* writeOnce(Fast.y.word, 0);
  yield* writeOnce(Want.value.at(i), 0);
}

/** @returns 1 if the thread is inside, 0 if it must wait for y to be 0. */
function* tryToEnter(i: number, count: number, version: number): Op {
  const me = i + 1;
  yield* strongStore(Want.value.at(i), 1, version);
  yield* strongStore(Fast.x.word, me, version);
  if ((yield* readOnce(Fast.y.word)) !== 0) {
    yield* strongStore(Want.value.at(i), 0, version);
    return 0;
  }
  yield* strongStore(Fast.y.word, me, version);
  if (version === TRUSTS_Y || (yield* readOnce(Fast.x.word)) === me) return 1;
  yield* strongStore(Want.value.at(i), 0, version);
  for (let j = 0; j < count; j++) yield* awaitEqual(Want.value.at(j), -1, 0);
  return (yield* readOnce(Fast.y.word)) === me ? 1 : 0;
}

function* strongStore(word: number, value: number, version: number): Op<void> {
  yield* writeOnce(word, value);
  if (version !== UNFENCED) yield* smpMb();
}

const tables = [Fast, Want];
const config = (n: number): { threads: number } => ({ threads: n });

export const lamportFast = lockProgram({
  name: 'lamport-fast',
  about: "Lamport's fast mutual exclusion, every store of the entry followed by a full fence.",
  tables,
  threads: 2,
  config,
  body: (i, n) => lamportFastThread(i, n, RIGHT),
});
export const lamportFastUnfenced = lockProgram({
  name: 'lamport-fast-unfenced',
  about: "Lamport's fast mutual exclusion without fences: right under SC, broken under TSO.",
  tables,
  threads: 2,
  config,
  body: (i, n) => lamportFastThread(i, n, UNFENCED),
});
export const lamportFastWrong = lockProgram({
  name: 'lamport-fast-wrong',
  about: 'A fast path that does not look whether somebody tried after it.',
  tables,
  threads: 2,
  config,
  body: (i, n) => lamportFastThread(i, n, TRUSTS_Y),
});
