/** `gntrace list`: the scenarios. */
import { Command } from 'commander';
import type { Scenario } from '../explore/scenario.ts';
import { print } from './output.ts';
import { scenarios } from './scenarios.ts';
import { EXIT_CLEAN } from './usage.ts';

/** The command. @param exit - takes the exit status. */
export function listCommand(exit: (status: number) => void): Command {
  return new Command('list')
    .description('name the scenarios that can be explored')
    .option('--json', 'print one JSON array instead of text')
    .action(({ json }: { readonly json?: boolean }) => {
      if (json === true) print(JSON.stringify(scenarios.map(jsonOf)));
      else printTable();
      exit(EXIT_CLEAN);
    });
}

function jsonOf({ name, about, designs, param }: Scenario): object {
  return { name, about, designs, ...(param === undefined ? {} : { param }) };
}

function printTable(): void {
  const width = Math.max(...scenarios.map(({ name }) => name.length)) + 2;
  for (const { name, about } of scenarios) print(`${name.padEnd(width)}${about}`);
}
