/**
 * Programs from chance: new ones, and changes of those that showed something new.
 */
import { FUZZ_MAP } from '../../corpus/fuzz/opcodes.ts';
import type { Random } from '../../explore/random.ts';
import type { FuzzProgram, Operation, Side, Step, Thread } from '../../corpus/fuzz/grammar.ts';
import {
  MOST_ACTORS,
  MOST_STEPS,
  MOST_THREADS,
  operationOf,
  operationsOf,
} from '../../corpus/fuzz/grammar.ts';

/** How large new programs are. */
export interface ProgramSize {
  /** Threads, at least 2. */
  readonly actors: number;
  /** Steps of a thread at most. */
  readonly steps: number;
}

export const usualSize: ProgramSize = { actors: 3, steps: 4 };

const totals = new Map<Side, number>();

function weightOf(side: Side): number {
  let total = totals.get(side);
  if (total === undefined) {
    total = operationsOf(side).reduce((sum, { weight }) => sum + weight, 0);
    totals.set(side, total);
  }
  return total;
}

function pickOperation(random: Random, side: Side): Operation {
  let left = random.below(weightOf(side));
  for (const operation of operationsOf(side)) {
    left -= operation.weight;
    if (left < 0) return operation;
  }
  throw new RangeError('weights do not add up');
}

/**
 * A value of an operand. Addresses are mostly low, so that steps meet each other; a thread seldom
 * keeps pages while it looks up others, for whoever waits for them then waits for ever.
 */
function pickValue(random: Random, { operands }: Operation, i: number): number {
  const { name, least, most } = operands[i] as Operation['operands'][number];
  if (name === 'page' && random.below(4) > 0) return random.below(3);
  if (name === 'keeps') return random.below(8) === 0 ? 1 : 0;
  return least + random.below(most - least + 1);
}

function stepOf(random: Random, operation: Operation): Step {
  const values = operation.operands.map((_, i) => pickValue(random, operation, i));
  return { op: operation.op, values };
}

function newStep(random: Random, side: Side): Step {
  return stepOf(random, pickOperation(random, side));
}

function mapStep(random: Random): Step {
  return stepOf(random, operationOf(FUZZ_MAP));
}

function newThread(random: Random, side: Side, steps: number): Thread {
  const length = 1 + random.below(steps);
  return { side, steps: Array.from({ length }, () => newStep(random, side)) };
}

/** A new program. */
export function newProgram(random: Random, size: ProgramSize): FuzzProgram {
  const prologue = Array.from({ length: random.below(3) }, () => mapStep(random));
  const processes = 1 + random.below(Math.min(size.actors, MOST_THREADS.process));
  const granters = Math.min(size.actors - processes, MOST_THREADS.granter);
  const sides: Side[] = [
    ...Array.from({ length: processes }, () => 'process' as const),
    ...Array.from({ length: granters }, () => 'granter' as const),
  ];
  return { prologue, threads: sides.map((side) => newThread(random, side, size.steps)) };
}

function withThread(program: FuzzProgram, i: number, steps: readonly Step[]): FuzzProgram {
  const thread = program.threads[i] as Thread;
  return { ...program, threads: program.threads.with(i, { ...thread, steps }) };
}

/** One change of a thread: a step more, less, other, elsewhere, or with another operand. */
function changeThread(random: Random, program: FuzzProgram): FuzzProgram {
  const i = random.below(program.threads.length);
  const { side, steps } = program.threads[i] as Thread;
  const at = random.below(Math.max(steps.length, 1));
  const step = steps[at];
  switch (random.below(5)) {
    case 0:
      if (step === undefined || steps.length === 1) break;
      return withThread(program, i, steps.toSpliced(at, 1));
    case 1:
      if (step === undefined) break;
      return withThread(program, i, steps.with(at, newStep(random, side)));
    case 2: {
      if (step === undefined || step.values.length === 0) break;
      const k = random.below(step.values.length);
      const value = pickValue(random, operationOf(step.op), k);
      return withThread(
        program,
        i,
        steps.with(at, { ...step, values: step.values.with(k, value) }),
      );
    }
    case 3: {
      if (step === undefined) break;
      const to = random.below(steps.length);
      return withThread(program, i, steps.toSpliced(at, 1).toSpliced(to, 0, step));
    }
    default:
      break;
  }
  if (steps.length >= MOST_STEPS) return withThread(program, i, steps.slice(0, -1));
  return withThread(program, i, steps.toSpliced(at, 0, newStep(random, side)));
}

function changePrologue(random: Random, program: FuzzProgram): FuzzProgram {
  const { prologue } = program;
  const at = random.below(prologue.length + 1);
  if (at < prologue.length && random.below(2) === 0) {
    return { ...program, prologue: prologue.toSpliced(at, 1) };
  }
  if (prologue.length >= 3) return { ...program, prologue: prologue.with(0, mapStep(random)) };
  return { ...program, prologue: prologue.toSpliced(at, 0, mapStep(random)) };
}

/** A thread of another program comes in, or replaces one of its side. */
function splice(random: Random, program: FuzzProgram, other: FuzzProgram): FuzzProgram {
  const { threads } = program;
  const guest = other.threads[random.below(other.threads.length)] as Thread;
  const ofSide = threads.filter(({ side }) => side === guest.side).length;
  if (ofSide < MOST_THREADS[guest.side] && threads.length < MOST_ACTORS) {
    return { ...program, threads: [...threads, guest] };
  }
  const i = threads.findIndex(({ side }) => side === guest.side);
  return i < 0 ? program : { ...program, threads: threads.with(i, guest) };
}

/** A program like another. @param other - where a thread may come from. */
export function mutateProgram(
  random: Random,
  program: FuzzProgram,
  other: FuzzProgram,
): FuzzProgram {
  let result = program;
  const changes = 1 + random.below(3);
  for (let i = 0; i < changes; i++) {
    const kind = random.below(8);
    if (kind === 0) result = splice(random, result, other);
    else if (kind === 1) result = changePrologue(random, result);
    else result = changeThread(random, result);
  }
  return result;
}
