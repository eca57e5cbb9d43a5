/** Every scenario that the command line knows, by name. */
import { ProgramError } from '../corpus/fuzz/codec.ts';
import { fuzzScenario } from '../campaign/fuzz/scenario.ts';
import { FUZZ_PREFIX } from '../corpus/fuzz/posed.ts';
import { raceScenarios } from '../campaign/race-scenarios.ts';
import type { Scenario } from '../explore/scenario.ts';
import { programs } from '../programs/catalogue.ts';
import { pose } from '../programs/pose.ts';
import type { Program } from '../programs/program.ts';
import { UsageError, nearest } from './usage.ts';

function scenarioOf(program: Program): Scenario {
  return {
    name: `program/${program.name}`,
    about: program.about,
    designs: [],
    param: program.param,
    prepare: ({ param }) => pose(program, param),
  };
}

export const scenarios: readonly Scenario[] = [...raceScenarios, ...programs.map(scenarioOf)];

/** The module that gives a scenario's actors to threads in lockstep. */
export function castModuleOf({ name }: Scenario): string {
  return name.startsWith('program/') ? 'src/programs/cast' : 'workers/race-cast';
}

/** The scenario of this name; a wrong name is wrong use. */
export function findScenario(name: string): Scenario {
  const names = scenarios.map((scenario) => scenario.name);
  const found = scenarios[names.indexOf(name)];
  if (found !== undefined) return found;
  if (name.startsWith(FUZZ_PREFIX)) return fuzzedScenario(name.slice(FUZZ_PREFIX.length));
  const near =
    nearest(name, names) ?? nearest(`race/${name}`, names) ?? nearest(`program/${name}`, names);
  const hint = near === undefined ? 'gntrace list names them all' : `did you mean ${near}?`;
  throw new UsageError(`no scenario called "${name}": ${hint}`);
}

function fuzzedScenario(text: string): Scenario {
  try {
    return fuzzScenario(text);
  } catch (error) {
    if (error instanceof ProgramError) throw new UsageError(error.message);
    throw error;
  }
}
