/**
 * What a scenario can do without, for the shrinker: steps and threads of a fuzzed program, and one
 * of what the parameter counts.
 */
import { smallerScenarios } from './fuzz/shrink-program.ts';
import { FUZZ_PREFIX } from '../corpus/fuzz/posed.ts';
import type { MemoryName } from '../explore/fibers.ts';
import type { Scenario, ScenarioModule } from '../explore/scenario.ts';
import type { Shrinkable } from '../explore/shrink.ts';

/** A scenario as it is asked. */
export interface Asked {
  readonly scenario: Scenario;
  readonly design: string;
  readonly param: number;
  readonly memory: MemoryName;
  /** Gives a scenario by name. */
  readonly find: ScenarioModule['findScenario'];
}

/** The program of a scenario, with all that is smaller. */
export function shrinkableOf(asked: Asked, was?: readonly number[]): Shrinkable {
  const { scenario, design, param, memory, find } = asked;
  const subject = { scenario: scenario.name, design, param };
  return {
    options: { ...scenario.prepare({ design, param }), memory, subject },
    ...(was !== undefined && { was }),
    *smaller() {
      const least = scenario.param?.least ?? param;
      if (param > least) yield shrinkableOf({ ...asked, param: param - 1 });
      if (!scenario.name.startsWith(FUZZ_PREFIX)) return;
      for (const smaller of smallerScenarios(scenario.name)) {
        yield shrinkableOf({ ...asked, scenario: find(smaller.name) }, smaller.was);
      }
    },
  };
}
