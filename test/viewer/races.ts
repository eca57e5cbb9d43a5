/** Races that tests of pages show. */
import { findScenario } from '../../src/cli/scenarios.ts';
import { programOf } from '../../src/cli/seed-program.ts';
import { recordContext } from '../../src/cli/seed-record.ts';
import { check } from '../../src/explore/check.ts';
import { parseSeed } from '../../src/explore/seed.ts';
import { imageOf } from '../../src/report/image.ts';
import type { PageData } from '../../src/report/page-data.ts';
import { sourcesOf } from '../../src/report/page-source.ts';
import { placesOf } from '../../src/report/places.ts';
import { recordOf } from '../../src/report/record.ts';

/** A seed that breaks a scenario, found by PCT. */
export function brokenSeed(scenario: string, design = '', memory: 'sc' | 'tso' = 'sc'): string {
  const seed = {
    scenario,
    design,
    param: findScenario(scenario).param?.usual ?? 0,
    memory,
    workload: 1,
    strategy: 'pct',
    schedule: [],
    choices: [],
  };
  const { options } = programOf(seed);
  const { finding } = check({ ...options, strategy: 'pct', executions: 5000, depth: 3 });
  if (finding === undefined) throw new Error(`${scenario} did not break`);
  return finding.seed;
}

/** What a page of a seed holds. */
export function pageDataOf(text: string): PageData {
  const seeded = programOf(parseSeed(text));
  const { options, seed } = seeded;
  const tool = { version: 'test', code: null, commit: null, runtime: 'test' };
  const race = recordOf(options, seed, placesOf, recordContext(seeded, { tool, stats: null }));
  return { race, image: imageOf(options, seed), sources: sourcesOf(race.places) };
}
