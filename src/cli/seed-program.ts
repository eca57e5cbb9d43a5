/** From a seed to the program that it speaks of. Needs no files, so a page can do it too. */
import type { CheckOptions } from '../explore/check.ts';
import { leaveOut } from '../explore/leave-out.ts';
import type { Scenario } from '../explore/scenario.ts';
import type { Seed } from '../explore/seed.ts';
import { findScenario } from './scenarios.ts';
import { UsageError } from './usage.ts';

export interface Seeded {
  readonly seed: Seed;
  readonly scenario: Scenario;
  /** The attached program, under the seed's memory model. */
  readonly options: CheckOptions;
}

/** Makes the program of a seed. What is wrong with a seed is wrong use. */
export function programOf(seed: Seed): Seeded {
  const scenario = findScenario(seed.scenario);
  const { design, param, without = [] } = seed;
  if (design === '' ? scenario.designs.length > 0 : !scenario.designs.includes(design)) {
    throw new UsageError(`the seed names a design that ${scenario.name} lacks: "${design}"`);
  }
  if (scenario.param !== undefined && !(param >= scenario.param.least)) {
    throw new UsageError(`the seed names a size that ${scenario.name} cannot have: ${param}`);
  }
  const subject = { scenario: scenario.name, design, param };
  const prepared = scenario.prepare({ design, param });
  const most = prepared.actors.length - 1;
  const unknown = without.find((actor) => actor > most);
  if (unknown !== undefined) {
    throw new UsageError(
      `the seed leaves out actor ${unknown}, but those of ${scenario.name} are 0 to ${most}`,
    );
  }
  const options = leaveOut({ ...prepared, memory: seed.memory, subject }, without);
  return { seed, scenario, options };
}
