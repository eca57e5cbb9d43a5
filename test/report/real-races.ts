/** Real races as records, found anew by their scenarios: what the golden texts show. */
import { findScenario } from '../../src/cli/scenarios.ts';
import { kernelMeaning } from '../../src/decode/meaning.ts';
import { check } from '../../src/explore/check.ts';
import type { CheckOptions } from '../../src/explore/check.ts';
import { placesOf } from '../../src/report/places.ts';
import type { RaceRecord } from '../../src/report/race.ts';
import { recordOf } from '../../src/report/record.ts';

const tool = { version: '0.1.0', commit: null, runtime: 'Node.js' };

/** Finds a race by PCT and makes its record. */
export function findRace(scenario: string, design: string, memory: 'sc' | 'tso'): RaceRecord {
  const { prepare, param } = findScenario(scenario);
  const size = param?.usual ?? 0;
  return foundIn({ ...prepare({ design, param: size }), memory }, { scenario, design });
}

/** The record of what breaks in a program. */
export function foundIn(
  options: CheckOptions,
  { scenario, design }: { readonly scenario: string; readonly design: string },
): RaceRecord {
  const { finding } = check({ ...options, strategy: 'pct', executions: 3000, seed: 1 });
  if (finding === undefined) throw new Error(`${scenario} did not break`);
  const subject = {
    scenario,
    design,
    param: 0,
    memory: options.memory ?? 'sc',
    strategy: 'pct',
    seed: 'gnt1.seed',
    replay: 'gntrace replay gnt1.seed',
  };
  const meaning = kernelMeaning(options.machine);
  return recordOf(options, finding, placesOf, { tool, subject, meaning, stats: null });
}
