/**
 * Szymanski's algorithm (1988) for two threads, as in GenMC's test suite: a waiting room with an
 * entry door and an exit door, flags from 0 to 4, waiting by assumption.
 *
 * flag  1 wants in, 2 waits for others in the room, 3 in the doorway, 4 door closed behind it
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, smpMb, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat, assume, fixedSize, threads } from '../program.ts';

const Szymanski = defineTable('szymanski', [], {
  flag0: '[T0] where the thread stands',
  flag1: '[T1] where the thread stands',
  x: '[HOLDER] number of the thread that is inside',
});

const RIGHT = 1;
const UNFENCED = 2;
/** Goes from the entry door straight inside. */
const RUSHES = 3;

function flagOf(i: number): number {
  return i === 0 ? Szymanski.flag0.word : Szymanski.flag1.word;
}

/** Enters and leaves once. @param version - RIGHT, UNFENCED or RUSHES. */
export function* szymanskiThread(i: number, version: number): Op<void> {
  const other = flagOf(1 - i);
  yield* stand(i, 1, version);
  yield* assume((yield* readOnce(other)) < 3);
  yield* stand(i, 3, version);
  if (version !== RUSHES && (yield* readOnce(other)) === 1) {
    yield* stand(i, 2, version);
    yield* assume((yield* readOnce(other)) === 4);
  }
  yield* stand(i, 4, version);
  if (version !== RUSHES) yield* assume((yield* readOnce(other)) < 2);
  yield* writeOnce(Szymanski.x.word, i);
  yield* readOnce(Szymanski.x.word);
  const inside = yield* readOnce(Szymanski.x.word);
  assertThat(inside === i, inside, i);
  yield* smpMb();
  const last = yield* readOnce(other);
  let mayLeave = last < 2;
  if (!mayLeave) mayLeave = (yield* readOnce(other)) > 3;
  yield* assume(mayLeave);
  yield* writeOnce(flagOf(i), 0);
}

function* stand(i: number, where: number, version: number): Op<void> {
  yield* writeOnce(flagOf(i), where);
  if (version !== UNFENCED) yield* smpMb();
}

function szymanskiProgram(name: string, about: string, version: number): Program {
  return {
    name,
    about,
    param: fixedSize,
    tables: [Szymanski],
    config: () => ({}),
    actors: () => threads(2, 'thread', (i) => szymanskiThread(i, version)),
  };
}

export const szymanski = szymanskiProgram(
  'szymanski',
  "Szymanski's algorithm for two threads, a full fence after each move.",
  RIGHT,
);
export const szymanskiUnfenced = szymanskiProgram(
  'szymanski-unfenced',
  "Szymanski's algorithm without fences: right under SC, broken under TSO.",
  UNFENCED,
);
export const szymanskiWrong = szymanskiProgram(
  'szymanski-wrong',
  'A thread goes from the entry door straight inside.',
  RUSHES,
);
