/** `gntrace shrink`: the shortest schedule that breaks the same thing. */
import { Command } from 'commander';
import { replay } from '../explore/replay.ts';
import { formatSeed } from '../explore/seed.ts';
import type { Shrunk } from '../explore/shrink.ts';
import { shrink } from '../explore/shrink.ts';
import { LiveLine, bold, print } from './output.ts';
import type { Seeded } from './seeded.ts';
import { seededProgram } from './seeded.ts';
import { EXIT_FINDING, UsageError } from './usage.ts';

/** The command. @param exit - takes the exit status. */
export function shrinkCommand(exit: (status: number) => void): Command {
  return new Command('shrink')
    .description('make the schedule of a seed as simple as can be')
    .argument('<seed>', 'a line gnt1.… of a schedule that breaks something')
    .option('--json', 'print one JSON object instead of text')
    .addHelpText('after', '\nExit status: 1 the finding, smaller, 2 wrong use, 3 tool failed.')
    .action((text: string, { json }: { readonly json?: boolean }) => {
      const seeded = seededProgram(text);
      const before = replay(seeded.options, seeded.seed, true);
      if (before.complaint === null) {
        throw new UsageError(
          'the schedule of this seed breaks nothing: there is nothing to shrink',
        );
      }
      const line = new LiveLine();
      const shrunk = shrink(
        { options: seeded.options },
        { ...before.complaint, schedule: before.schedule, choices: before.choices },
        ({ replays, actors, preemptions, steps }) =>
          line.show(
            `${replays} replays: ${actors} actors, ${preemptions} preemptions, ${steps} steps`,
          ),
      );
      line.clear();
      const seed = formatSeed({ ...seeded.seed, ...shrunk.finding });
      if (json === true) print(JSON.stringify(jsonOf(seeded, shrunk, seed)));
      else describe(seeded, before, shrunk, seed);
      exit(EXIT_FINDING);
    });
}

function jsonOf({ scenario }: Seeded, shrunk: Shrunk, seed: string): object {
  const { replays, actors, preemptions, steps, dropped, finding } = shrunk;
  return {
    scenario: scenario.name,
    invariant: finding.invariant,
    message: finding.message,
    words: finding.words,
    seed,
    preemptions,
    steps,
    actors,
    dropped,
    replays,
  };
}

function describe(
  { scenario }: Seeded,
  before: { readonly preemptions: number; readonly schedule: readonly number[] },
  shrunk: Shrunk,
  seed: string,
): void {
  const { preemptions, steps, replays, dropped, finding } = shrunk;
  print(`${bold(scenario.name)}  ${finding.message}`);
  print(
    `  from ${before.schedule.length} steps and ${before.preemptions} preemptions ` +
      `to ${steps} and ${preemptions}, after ${replays} replays`,
  );
  if (dropped.length > 0) print(`  without ${dropped.join(', ')}`);
  print(`  gntrace replay ${seed}`);
}
