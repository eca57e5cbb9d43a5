/**
 * A fuzzed program as a scenario: `fuzz/<text>`. The machine is that of the races with more room;
 * when all threads have finished, the process has let go of everything, so nothing may be left.
 */
import { arrangeFuzz, FUZZ_PROLOGUE } from '../../corpus/fuzz/arrange.ts';
import { runFuzzActor } from '../../corpus/fuzz/interpreter.ts';
import { FuzzActor, FuzzStep, fuzzDefaults, fuzzTables } from '../../corpus/fuzz/tables.ts';
import { BACKEND, FRONTEND } from '../../corpus/process.ts';
import type { Race } from '../../corpus/race.ts';
import type { PreparedScenario, Scenario } from '../../explore/scenario.ts';
import { GntdevBitmap, GrantMapBitmap } from '../../linux/drivers/gntdev/grant-map.ts';
import { PageArrayBitmap } from '../../linux/designs/vma-pages.ts';
import { peek } from '../../oracle/shadow-words.ts';
import type { Report } from '../../oracle/violation.ts';
import { FRAMES_LOST, LIVE_GRANTS, PIN_MISCOUNT } from '../../oracle/violation.ts';
import { writeLocal } from '../../shared/operations.ts';
import type { Op } from '../../shared/op.ts';
import { ActiveEntry } from '../../xen/grant-table/active.ts';
import { prepareRace } from '../race-scenarios.ts';
import { decodeProgram, encodeProgram } from './codec.ts';
import type { FuzzProgram, Side, Step } from './grammar.ts';

/** Begins the names of scenarios that are fuzzed programs. */
export const FUZZ_PREFIX = 'fuzz/';
export const FUZZ_DESIGNS: readonly string[] = ['m2p-override', 'vma-pages'];
/** Steps after which an execution counts as endless: many times what programs take. */
export const FUZZ_MAX_STEPS = 30_000;

const VCPUS_PER_DOMAIN = 4;
const DOMAINS: Readonly<Record<Side, number>> = { process: BACKEND, granter: FRONTEND };
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

/** The vCPU of each thread: the workers of its domain in order. */
function vcpusOf({ threads }: FuzzProgram): number[] {
  const used: Record<Side, number> = { process: 0, granter: 0 };
  return threads.map(({ side }) => DOMAINS[side] * VCPUS_PER_DOMAIN + used[side]++);
}

function raceOf(program: FuzzProgram): Race {
  const { prologue, threads } = program;
  const vcpus = vcpusOf(program);
  const processes = threads.filter(({ side }) => side === 'process').length;
  return {
    name: encodeProgram(program),
    about: 'a program from the fuzzer',
    sources: [],
    designs: FUZZ_DESIGNS,
    sizes,
    *arrange(): Op<void> {
      loadSteps(FUZZ_PROLOGUE, prologue);
      threads.forEach(({ steps }, i) => loadSteps(i + 1, steps));
      yield* arrangeFuzz(processes);
    },
    actors: threads.map(({ side }, i) => ({
      role: side,
      vcpu: vcpus[i] as number,
      body: () => runFuzzActor(vcpus[i] as number, i + 1, side === 'process' ? 1 : 0),
    })),
    kernelThreads: processes < threads.length ? [BACKEND, FRONTEND] : [BACKEND],
  };
}

/** The process has let go of all: no pin, no map, no page array may be left. */
function checkNothingLeft(report: Report): void {
  for (let ref = 0; ref < ActiveEntry.pin.count; ref++) {
    const pin = ActiveEntry.pin.at2(FRONTEND, ref);
    if (peek(pin) !== 0) report(-1, PIN_MISCOUNT, pin, 0);
  }
  for (const bitmap of [GrantMapBitmap.value.word, PageArrayBitmap.value.word]) {
    if (peek(bitmap) !== 0) report(-1, LIVE_GRANTS, bitmap, 0);
  }
  if (peek(GntdevBitmap.value.word) !== 1) report(-1, FRAMES_LOST, GntdevBitmap.value.word, 0);
}

/** Makes and attaches the machine of a program. */
export function prepareFuzz(program: FuzzProgram, design: string): PreparedScenario {
  const processes = program.threads.some(({ side }) => side === 'process');
  return prepareRace(raceOf(program), design, {
    tables: fuzzTables,
    atEnd(report) {
      if (processes) checkNothingLeft(report);
    },
  });
}

/** The scenario of a program's text. Throws ProgramError if it is none. */
export function fuzzScenario(text: string): Scenario {
  const program = decodeProgram(text);
  return {
    name: FUZZ_PREFIX + text,
    about: 'a program from the fuzzer',
    designs: FUZZ_DESIGNS,
    prepare: ({ design }) => prepareFuzz(program, design),
  };
}
