/**
 * A fuzzed program as a race: who runs which steps on which vCPU of which machine. Fibers and
 * threads in lockstep make their actors from here.
 */
import { EVERY_DESIGN } from '../../linux/designs/design.ts';
import { writeLocal } from '../../shared/operations.ts';
import { BACKEND, FRONTEND } from '../process.ts';
import type { Race } from '../race.ts';
import { arrangeFuzz, FUZZ_PROLOGUE } from './arrange.ts';
import { encodeProgram } from './codec.ts';
import type { FuzzProgram, Side, Step } from './grammar.ts';
import { runFuzzActor } from './interpreter.ts';
import { FuzzActor, FuzzStep, fuzzDefaults } from './tables.ts';

/** Begins the names of scenarios that are fuzzed programs. */
export const FUZZ_PREFIX = 'fuzz/';
export const FUZZ_DESIGNS: readonly string[] = EVERY_DESIGN;

const VCPUS_PER_DOMAIN = 4;
const DOMAINS: Readonly<Record<Side, number>> = { process: BACKEND, granter: FRONTEND };
/** The machine of the races with more room. */
const sizes = {
  ...fuzzDefaults,
  vcpusPerDomain: VCPUS_PER_DOMAIN,
  pagesPerDomain: 32,
  frames: 112,
};

function loadSteps(row: number, steps: readonly Step[]): void {
  writeLocal(FuzzActor.steps.at(row), steps.length);
  steps.forEach(({ op, values }, at) => {
    writeLocal(FuzzStep.op.at2(row, at), op);
    const { a, b, c, d, e } = FuzzStep;
    values.forEach((value, i) => {
      const field = [a, b, c, d, e][i];
      if (field !== undefined) writeLocal(field.at2(row, at), value);
    });
  });
}

/** Writes a program into the attached machine; before the race is arranged. */
export function loadProgram({ prologue, threads }: FuzzProgram): void {
  loadSteps(FUZZ_PROLOGUE, prologue);
  threads.forEach(({ steps }, i) => loadSteps(i + 1, steps));
}

/** The vCPU of each thread: the workers of its domain in order. */
function vcpusOf({ threads }: FuzzProgram): number[] {
  const used: Record<Side, number> = { process: 0, granter: 0 };
  return threads.map(({ side }) => DOMAINS[side] * VCPUS_PER_DOMAIN + used[side]++);
}

/** The race of a program's threads. */
export function fuzzRace(program: FuzzProgram): Race {
  const { threads } = program;
  const vcpus = vcpusOf(program);
  const processes = threads.filter(({ side }) => side === 'process').length;
  return {
    name: encodeProgram(program),
    about: 'a program from the fuzzer',
    sources: [],
    designs: FUZZ_DESIGNS,
    sizes,
    arrange: () => arrangeFuzz(processes),
    actors: threads.map(({ side }, i) => ({
      role: side,
      vcpu: vcpus[i] as number,
      body: () => runFuzzActor(vcpus[i] as number, i + 1, side === 'process' ? 1 : 0),
    })),
    kernelThreads: processes < threads.length ? [BACKEND, FRONTEND] : [BACKEND],
  };
}
