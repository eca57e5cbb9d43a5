/**
 * Peterson's algorithm (1981) for two threads. Waiting is an assumption, as in GenMC's test
 * suite: an execution in which a thread looks too early is not looked at further; one in which it
 * looks later covers it.
 *
 * The store of `turn` must be visible before the other's flag is read: on x86 only a locked
 * instruction or a fence sees to that.
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, smpMb, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat, assume, fixedSize, threads } from '../program.ts';

const Peterson = defineTable('peterson', [], {
  flag0: '[T0] 1: wants to enter',
  flag1: '[T1] 1: wants to enter',
  turn: '[ANY] who goes second if both want to',
  inside: '[HOLDER] number of the thread that is inside',
});

const FENCED = 1;
const UNFENCED = 2;
/** Gives way before it says that it wants to enter. */
const TURN_FIRST = 3;
/** As UNFENCED, but does not mind company: GenMC counts the executions of this one. */
const RELAXED = 4;

function flagOf(i: number): number {
  return i === 0 ? Peterson.flag0.word : Peterson.flag1.word;
}

/** Enters, stores its number and loads it back, leaves. @param version - FENCED, … */
export function* petersonThread(i: number, version: number): Op<void> {
  if (version === TURN_FIRST) {
    yield* strongStore(Peterson.turn.word, 1 - i, version);
    yield* strongStore(flagOf(i), 1, version);
  } else {
    yield* strongStore(flagOf(i), 1, version);
    yield* strongStore(Peterson.turn.word, 1 - i, version);
  }
  let free = (yield* readOnce(flagOf(1 - i))) !== 1;
  if (!free) free = (yield* readOnce(Peterson.turn.word)) !== 1 - i;
  yield* assume(free);
  yield* strongStore(Peterson.inside.word, i, version);
  const inside = yield* readOnce(Peterson.inside.word);
  assertThat(inside === i || version === RELAXED, inside, i);
  yield* writeOnce(flagOf(i), 0);
}

/** A store that is visible before anything later, unless the version leaves out the fence. */
function* strongStore(word: number, value: number, version: number): Op<void> {
  yield* writeOnce(word, value);
  if (version === FENCED || version === TURN_FIRST) yield* smpMb();
}

function petersonProgram(name: string, about: string, version: number): Program {
  return {
    name,
    about,
    param: fixedSize,
    tables: [Peterson],
    config: () => ({}),
    actors: () => threads(2, 'thread', (i) => petersonThread(i, version)),
  };
}

export const peterson = petersonProgram(
  'peterson',
  "Peterson's algorithm for two threads, every store followed by a full fence.",
  FENCED,
);
export const petersonUnfenced = petersonProgram(
  'peterson-unfenced',
  "Peterson's algorithm without fences: right under SC, broken under TSO.",
  UNFENCED,
);
export const petersonRelaxed = petersonProgram(
  'peterson-relaxed',
  "Peterson's algorithm without fences and without a claim, to count its executions.",
  RELAXED,
);
export const petersonWrong = petersonProgram(
  'peterson-wrong',
  "Peterson's algorithm with the turn given away before the flag is set.",
  TURN_FIRST,
);
