/** Small random programs from a seed, for properties that must hold of every program. */
import type { Actor } from '../../src/explore/check.ts';
import { Random } from '../../src/explore/random.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Machine } from '../../src/shared/layout.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  acquireWhen,
  awaitNotEqual,
  choose,
  cmpxchg,
  fetchAdd,
  loadThrough,
  readOnce,
  smpMb,
  storeThrough,
  writeLocal,
  writeOnce,
  xchg,
} from '../../src/shared/operations.ts';
import { defineTable } from '../../src/shared/table.ts';

const SHARED_WORDS = 3;
export const Shared = defineTable('shared[%]', ['shared'], { value: '[ALL] contended' });
/** A hash of all that an actor has seen: equal final words mean equal observations. */
export const Seen = defineTable('seen[%]', ['actors'], { value: '[ACTOR] hash of its results' });

/** One operation of a program. */
export interface Instruction {
  readonly kind: number;
  readonly word: number;
  readonly value: number;
}
const KINDS = 11;
const CHOICE = 8;

function* perform({ kind, word, value }: Instruction): Op {
  const at = Shared.value.at(word);
  const other = Shared.value.at((word + 1) % SHARED_WORDS);
  switch (kind) {
    case 0:
    case 1:
      return yield* readOnce(at);
    case 2:
    case 3:
      yield* writeOnce(at, value);
      return 0;
    case 4:
      return yield* fetchAdd(at, value);
    case 5:
      return yield* cmpxchg(at, 0, value);
    case 6:
      return yield* xchg(at, value);
    case 7:
      yield* smpMb();
      return 0;
    case CHOICE:
      return yield* choose(1 + value);
    case 9:
      return yield* loadThrough(other, 0, at);
    case 10:
      return yield* storeThrough(other, 0, at, value);
    case 11:
      return yield* awaitNotEqual(at, -1, 0);
    default:
      return yield* acquireWhen(at, 1, 0, value);
  }
}

/** A program as data, so that a failing one can be printed. */
export interface RandomProgram {
  /** What an actor chooses and reads decides which of its operations it goes on with, and where. */
  readonly branches: boolean;
  readonly code: readonly (readonly Instruction[])[];
  /** The last actor is an interrupt of the first. */
  readonly interrupt: boolean;
}

/**
 * Draws a program.
 * @param waits - whether it has operations that can be impossible.
 * @param branches - whether it has more choices of data, on which what follows depends.
 */
export function drawProgram(
  seed: number,
  waits: boolean,
  interrupt: boolean,
  branches = false,
): RandomProgram {
  const random = new Random();
  random.reseed(seed, 0);
  const actors = 2 + random.below(2);
  const length = () => 1 + random.below(actors === 2 ? 4 : 3);
  const code = Array.from({ length: actors }, () =>
    Array.from({ length: length() }, () => ({
      kind: branches && random.below(3) === 0 ? CHOICE : random.below(waits ? KINDS + 2 : KINDS),
      word: random.below(SHARED_WORDS),
      value: 1 + random.below(2),
    })),
  );
  return { code, interrupt, branches };
}

function* runCode(actor: number, { code, branches }: RandomProgram): Op<void> {
  let hash = 1;
  let shift = 0;
  for (let at = 0; at < code[actor].length; at++) {
    const { kind, word, value } = code[actor][at];
    const result = yield* perform({ kind, word: (word + shift) % SHARED_WORDS, value });
    hash = (Math.imul(hash, 31) + result) | 0;
    writeLocal(Seen.value.at(actor), hash);
    if (!branches) continue;
    if (kind === CHOICE && result === 1) at++;
    shift += result & 3;
  }
}

function* serveInterrupts(actor: number, program: RandomProgram, word: number): Op<void> {
  for (let round = 0; round < 2; round++) {
    yield* awaitNotEqual(word, -1, 0);
    yield* runCode(actor, program);
  }
}

/** A machine and actors for a program. */
export function build(program: RandomProgram): { machine: Machine; actors: Actor[] } {
  const count = program.code.length;
  const machine = createMachine([Shared, Seen], { shared: SHARED_WORDS, actors: count });
  const word = Shared.value.at(0);
  const actors = program.code.map((_, i): Actor => {
    const name = `actor ${i}`;
    if (!program.interrupt || i < count - 1) return { name, body: () => runCode(i, program) };
    const body = () => serveInterrupts(i, program, word);
    return { name, body, daemon: true, interrupts: { actor: 0, word } };
  });
  return { machine, actors };
}
