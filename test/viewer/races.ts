/** Races that tests of pages show. */
import type { Seeded } from '../../src/cli/seed-program.ts';
import { programOf } from '../../src/cli/seed-program.ts';
import { check } from '../../src/explore/check.ts';
import { parseSeed } from '../../src/explore/seed.ts';
import { imageOf } from '../../src/report/image.ts';
import { plainMeaning } from '../../src/report/meaning.ts';
import type { PageData } from '../../src/report/page-data.ts';
import { sourcesOf } from '../../src/report/page-source.ts';
import { placesOf } from '../../src/report/places.ts';
import { recordOf } from '../../src/report/record.ts';

/** A seed that breaks a scenario, found by PCT. */
export function brokenSeed(scenario: string, design = '', memory: 'sc' | 'tso' = 'sc'): string {
  const seed = {
    scenario,
    design,
    param: 0,
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
  return dataOf(programOf(parseSeed(text)), text);
}

function dataOf({ options, scenario }: Seeded, text: string): PageData {
  const seed = parseSeed(text);
  const { design, param, memory, strategy } = seed;
  const subject = {
    scenario: scenario.name,
    design,
    param,
    memory,
    strategy,
    seed: text,
    replay: `gntrace replay ${text}`,
  };
  const tool = { version: 'test', code: null, commit: null, runtime: 'test' };
  const context = { tool, subject, meaning: plainMeaning, stats: null };
  const race = recordOf(options, seed, placesOf, context);
  return { race, image: imageOf(options, seed), sources: sourcesOf(race.places) };
}
