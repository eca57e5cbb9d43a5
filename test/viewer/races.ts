/** Races that tests of pages show. */
import { shrinkableOf } from '../../src/campaign/shrinkable.ts';
import { findScenario } from '../../src/cli/scenarios.ts';
import { programOf } from '../../src/cli/seed-program.ts';
import { recordContext } from '../../src/cli/seed-record.ts';
import { check } from '../../src/explore/check.ts';
import { replay } from '../../src/explore/replay.ts';
import { formatSeed, parseSeed } from '../../src/explore/seed.ts';
import { shrink } from '../../src/explore/shrink.ts';
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

/** The seed of the smallest program and the simplest schedule that break the same. */
export function shrinkSeed(text: string): string {
  const { seed, scenario, options } = programOf(parseSeed(text));
  const { design, param, memory } = seed;
  const { complaint, schedule, choices } = replay(options, seed);
  if (complaint === null) throw new Error('nothing breaks');
  const asked = { scenario, design, param, memory, find: findScenario };
  const found = { ...complaint, schedule, choices };
  const { finding, without } = shrink(shrinkableOf(asked), found);
  const { schedule: turns, choices: data } = finding;
  return formatSeed({ ...seed, schedule: turns, choices: data, without });
}
