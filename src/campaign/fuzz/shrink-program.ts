/**
 * Makes a program that breaks smaller: fewer threads, fewer steps, smaller operands. A candidate
 * counts if some schedule breaks the same invariant on the same words (but for indices): the old
 * schedule as far as it goes, or one of a number that the strategy finds.
 */
import { replay } from '../../explore/replay.ts';
import { checkOptions, coarseKey, runProgram } from './run-program.ts';
import type { Breakage, RunOptions } from './run-program.ts';
import { PairCoverage } from '../coverage.ts';
import { decodeProgram, encodeProgram } from '../../corpus/fuzz/codec.ts';
import { FUZZ_PREFIX, fuzzRace } from '../../corpus/fuzz/posed.ts';
import type { FuzzProgram, Step, Thread } from '../../corpus/fuzz/grammar.ts';
import { operationOf } from '../../corpus/fuzz/grammar.ts';

export interface ShrinkBudget {
  /** Schedules of a candidate. */
  readonly executions: number;
  /** Schedules of all candidates. */
  readonly total: number;
}

export const usualBudget: ShrinkBudget = { executions: 40, total: 4000 };

export interface ShrunkProgram {
  readonly breakage: Breakage;
  readonly executions: number;
  /** No candidate was left untried. */
  readonly minimal: boolean;
}

/** Shrinks the program of a breakage. */
export function shrinkProgram(
  found: Breakage,
  options: RunOptions,
  budget: ShrinkBudget = usualBudget,
): ShrunkProgram {
  const target = coarseKey(found);
  const run = { ...options, executions: budget.executions, most: budget.executions };
  const unseen = new PairCoverage();
  let breakage = found;
  let executions = 0;
  for (;;) {
    let smaller: Breakage | null = null;
    for (const program of smallerPrograms(breakage.program)) {
      if (executions >= budget.total) return { breakage, executions, minimal: false };
      const tried = runProgram(program, run, unseen);
      executions += tried.executions;
      if (tried.breakage === null || coarseKey(tried.breakage) !== target) continue;
      smaller = tried.breakage;
      break;
    }
    if (smaller === null) return { breakage, executions, minimal: true };
    breakage = smaller;
  }
}

/** Does a breakage show again when its schedule is replayed? */
export function showsAgain(breakage: Breakage, options: RunOptions): boolean {
  const run = replay(checkOptions(breakage.program, options), breakage);
  return run.complaint !== null && run.complaint.invariant === breakage.invariant;
}

/** Programs with one thing less, the largest cuts first. */
export function* smallerPrograms(program: FuzzProgram): Generator<FuzzProgram> {
  const { prologue, threads } = program;
  if (threads.length > 1) {
    for (let i = 0; i < threads.length; i++) {
      yield { ...program, threads: threads.toSpliced(i, 1) };
    }
  }
  for (let i = 0; i < prologue.length; i++) {
    yield { ...program, prologue: prologue.toSpliced(i, 1) };
  }
  for (const [i, thread] of threads.entries()) {
    if (thread.steps.length === 1 && threads.length > 1) continue;
    for (const steps of fewerSteps(thread.steps)) {
      yield { ...program, threads: threads.with(i, { ...thread, steps }) };
    }
  }
  for (const steps of smallerSteps(prologue)) yield { ...program, prologue: steps };
  for (const [i, thread] of threads.entries()) {
    for (const steps of smallerSteps(thread.steps)) {
      yield { ...program, threads: threads.with(i, { ...thread, steps }) };
    }
  }
}

/** A smaller program as a scenario. */
export interface SmallerScenario {
  readonly name: string;
  /** For each actor its number in the larger program. */
  readonly was: readonly number[];
}

/** The scenarios of all smaller programs. @param name - of the scenario of a program. */
export function* smallerScenarios(name: string): Generator<SmallerScenario> {
  const program = decodeProgram(name.slice(FUZZ_PREFIX.length));
  const before = tasksOf(program);
  for (const smaller of smallerPrograms(program)) {
    const kept = smaller.threads.length < program.threads.length;
    const tasks = tasksOf(smaller).map((task, i) => (kept ? before.indexOf(task) : i));
    const interrupts = tasks.flatMap((task) => [0, 1].map((k) => before.length + 2 * task + k));
    yield { name: FUZZ_PREFIX + encodeProgram(smaller), was: [...tasks, ...interrupts] };
  }
}

/** What the tasks of a program's race stand for: its threads, then domains of kernel threads. */
function tasksOf(program: FuzzProgram): readonly (Thread | number)[] {
  return [...program.threads, ...fuzzRace(program).kernelThreads];
}

function* fewerSteps(steps: readonly Step[]): Generator<readonly Step[]> {
  if (steps.length > 3) {
    yield steps.slice(0, steps.length >> 1);
    yield steps.slice(steps.length >> 1);
  }
  for (let at = steps.length - 1; at >= 0; at--) yield steps.toSpliced(at, 1);
}

/** Each operand at its least value, once a step. */
function* smallerSteps(steps: readonly Step[]): Generator<readonly Step[]> {
  for (const [at, step] of steps.entries()) {
    for (const [k, { least }] of operationOf(step.op).operands.entries()) {
      if ((step.values[k] ?? least) === least) continue;
      yield steps.with(at, { ...step, values: step.values.with(k, least) });
    }
  }
}
