/** `gntrace list`: races, programs, designs, and what else can be named on the command line. */
import { Command } from 'commander';
import { races } from '../corpus/races.ts';
import type { Scenario } from '../explore/scenario.ts';
import { strategyNames } from '../explore/strategies/index.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { bold, print } from './output.ts';
import { scenarios } from './scenarios.ts';
import { raceJson } from './show.ts';
import { EXIT_CLEAN } from './usage.ts';

const memories = ['sc', 'tso'];

/** The command. @param exit - takes the exit status. */
export function listCommand(exit: (status: number) => void): Command {
  return new Command('list')
    .description('name the scenarios that can be explored')
    .option('--json', 'print one JSON object instead of text')
    .action(({ json }: { readonly json?: boolean }) => {
      if (json === true) print(JSON.stringify(everything()));
      else printTables();
      exit(EXIT_CLEAN);
    });
}

function everything(): object {
  return {
    designs: EVERY_DESIGN,
    races: races.map((race) => raceJson(race)),
    scenarios: scenarios.map((scenario) => jsonOf(scenario)),
    strategies: strategyNames,
    memories,
  };
}

function jsonOf({ name, about, designs: asked, param }: Scenario): object {
  return { name, about, designs: asked, ...(param === undefined ? {} : { param }) };
}

function printTables(): void {
  const width = Math.max(...scenarios.map(({ name }) => name.length)) + 2;
  for (const { name, about } of scenarios) {
    print(`${name.padEnd(width)}${about}`);
    const race = races.find((candidate) => name === `race/${candidate.name}`);
    if (race !== undefined) print(`${' '.repeat(width)}${race.sources.join('; ')}`);
  }
  print('');
  print(`${bold('designs'.padEnd(width))}${EVERY_DESIGN.join(', ')}`);
  print(`${bold('strategies'.padEnd(width))}${strategyNames.join(', ')}`);
  print(`${bold('memory models'.padEnd(width))}${memories.join(', ')}`);
}
