/** What a record says of a seed beside its execution. Needs no files, so a page can do it too. */
import { kernelMeaning } from '../decode/meaning.ts';
import { formatSeed } from '../explore/seed.ts';
import type { RaceStats, RaceTool } from '../report/race.ts';
import type { RecordContext } from '../report/record.ts';
import type { Seeded } from './seed-program.ts';

export interface Found {
  /** What makes the record. */
  readonly tool: RaceTool;
  /** How it was found. */
  readonly stats: RaceStats | null;
  /** Where the seed is, if it is not pasted. */
  readonly file?: string | undefined;
}

export function recordContext(
  { seed, scenario, options }: Seeded,
  { tool, stats, file }: Found,
): RecordContext {
  const text = formatSeed(seed);
  const { design, param, memory, strategy } = seed;
  const subject = {
    scenario: scenario.name,
    design,
    param,
    memory,
    strategy,
    seed: text,
    replay: `gntrace replay ${file ?? text}`,
  };
  return { tool, subject, meaning: kernelMeaning(options.machine), stats };
}
