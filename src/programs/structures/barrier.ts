/**
 * A central barrier: the last to arrive opens the next phase. It must make the counter ready
 * before it lets the others go; the wrong version does it after, and a fast thread's next arrival
 * is forgotten.
 */
import type { Op } from '../../shared/op.ts';
import {
  awaitNotEqual,
  fetchAdd,
  readOnce,
  storeRelease,
  writeOnce,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat, threads } from '../program.ts';

const ROUNDS = 2;

const Barrier = defineTable('barrier', [], {
  arrived: '[ANY] threads that wait',
  phase: '[LAST] openings so far',
});
const Progress = defineTable('progress[%]', ['threads'], { round: '[THREAD] round it is in' });

/** @param count - threads. @param late - 1: the counter is made ready after the opening. */
export function* barrierWait(count: number, late: number): Op<void> {
  const phase = yield* readOnce(Barrier.phase.word);
  if ((yield* fetchAdd(Barrier.arrived.word, 1)) < count - 1) {
    yield* awaitNotEqual(Barrier.phase.word, -1, phase);
    return;
  }
  if (late === 0) yield* writeOnce(Barrier.arrived.word, 0);
  yield* storeRelease(Barrier.phase.word, phase + 1);
  if (late === 1) yield* writeOnce(Barrier.arrived.word, 0);
}

/** Goes through the barrier twice; behind it nobody may be a round late. */
export function* barrierThread(i: number, count: number, late: number): Op<void> {
  for (let round = 1; round <= ROUNDS; round++) {
    yield* writeOnce(Progress.round.at(i), round);
    yield* barrierWait(count, late);
    const neighbour = yield* readOnce(Progress.round.at((i + 1) % count));
    assertThat(neighbour >= round, neighbour, round);
  }
}

function barrierProgram(name: string, about: string, late: number): Program {
  return {
    name,
    about,
    param: { counts: 'threads', least: 2, usual: 2 },
    tables: [Barrier, Progress],
    config: (n) => ({ threads: n }),
    actors: (n) => threads(n, 'thread', (i) => barrierThread(i, n, late)),
  };
}

export const barrier = barrierProgram('barrier', 'A central barrier that n threads pass twice.', 0);
export const barrierWrong = barrierProgram(
  'barrier-wrong',
  'A barrier whose counter is made ready after the threads were let go.',
  1,
);
