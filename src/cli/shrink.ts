/** `gntrace shrink`: the smallest program and the simplest schedule that break the same thing. */
import { Command } from 'commander';
import { shrinkableOf } from '../campaign/shrinkable.ts';
import type { Complaint } from '../explore/finding.ts';
import type { Replayed } from '../explore/replay.ts';
import { replay } from '../explore/replay.ts';
import type { Seed } from '../explore/seed.ts';
import { formatSeed } from '../explore/seed.ts';
import type { Shrunk } from '../explore/shrink.ts';
import { shrink } from '../explore/shrink.ts';
import { LiveLine, bold, print } from './output.ts';
import type { Seeded } from './seeded.ts';
import { seededProgram } from './seeded.ts';
import { withHtmlOption, writeSeedPage } from './race-file.ts';
import type { RaceView } from './race-text.ts';
import { findingRecord, printFinding, withViewOptions } from './race-text.ts';
import { SAVE_OPTION, SEED_ARGUMENT, pasteable } from './saved.ts';
import { findScenario } from './scenarios.ts';
import { EXIT_FINDING, UsageError } from './usage.ts';

/** Steps by which a schedule is sought for a program with an operation less. */
export const SEARCH_STEPS = 30_000;

interface RawOptions extends RaceView {
  readonly json?: boolean;
  readonly save?: string;
  readonly html?: string;
}

/** The command. @param exit - takes the exit status. */
export function shrinkCommand(exit: (status: number) => void): Command {
  return withHtmlOption(withViewOptions(new Command('shrink')))
    .description('make the program and the schedule of a seed as small as can be')
    .argument('<seed>', SEED_ARGUMENT)
    .option(...SAVE_OPTION)
    .option('--json', 'print one JSON object instead of text')
    .addHelpText('after', '\nExit status: 1 the finding, smaller, 2 wrong use, 3 tool failed.')
    .action((text: string, { json, save, html, ...view }: RawOptions) => {
      const seeded = seededProgram(text);
      const before = replay(seeded.options, seeded.seed, true);
      if (before.complaint === null) {
        throw new UsageError(
          'the schedule of this seed breaks nothing: there is nothing to shrink',
        );
      }
      const shrunk = shrinkSeeded(seeded, before, before.complaint);
      const seed = formatSeed(shrunkSeed(seeded, shrunk));
      if (json === true) print(JSON.stringify(jsonOf(shrunk, seed, save)));
      else describe(before, shrunk, seed, save, view);
      if (html !== undefined) writeSeedPage(html, seed, json === true);
      exit(EXIT_FINDING);
    });
}

/** Shrinks what a replay has shown; a line on the terminal says how far it has come. */
function shrinkSeeded({ seed, scenario }: Seeded, before: Replayed, complaint: Complaint): Shrunk {
  const { schedule, choices } = before;
  const { design, param, memory, without = [] } = seed;
  const line = new LiveLine();
  try {
    return shrink(
      shrinkableOf({ scenario, design, param, memory, find: findScenario }),
      { ...complaint, schedule, choices },
      ({ replays, actors, preemptions, steps }) =>
        line.show(
          `${replays} executions: ${actors} actors, ${preemptions} preemptions, ${steps} steps`,
        ),
      { without, searchSteps: SEARCH_STEPS },
    );
  } finally {
    line.clear();
  }
}

function shrunkSeed({ seed }: Seeded, { program, finding, without }: Shrunk): Seed {
  const { scenario = seed.scenario, param = seed.param } = program.options.subject ?? {};
  const { schedule, choices } = finding;
  return { ...seed, scenario, param, schedule, choices, without };
}

function jsonOf(shrunk: Shrunk, seed: string, file: string | undefined): object {
  const { program, replays, actors, preemptions, steps, dropped, finding } = shrunk;
  const { scenario, param } = program.options.subject ?? {};
  return {
    scenario,
    param,
    invariant: finding.invariant,
    message: finding.message,
    words: finding.words,
    seed,
    ...(file === undefined ? {} : { file: pasteable(seed, file) }),
    preemptions,
    steps,
    actors,
    dropped,
    replays,
  };
}

function describe(
  before: Replayed,
  shrunk: Shrunk,
  seed: string,
  file: string | undefined,
  view: RaceView,
): void {
  const { program, preemptions, steps, replays, dropped } = shrunk;
  const { scenario = '' } = program.options.subject ?? {};
  print(`${bold(scenario)}  shrunk`);
  print(
    `  from ${before.schedule.length} steps and ${before.preemptions} preemptions ` +
      `to ${steps} and ${preemptions}, after ${replays} executions`,
  );
  if (dropped.length > 0) print(`  without ${dropped.join(', ')}`);
  print('');
  const stats = {
    steps: { found: before.schedule.length, min: steps },
    preemptions: { found: before.preemptions, min: preemptions },
  };
  printFinding(findingRecord(seed, file, stats), view, true);
}
