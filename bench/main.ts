/** The suites of `gntrace bench`. */
import { Command } from 'commander';
import { oneOf } from '../src/cli/usage.ts';
import { checkCommand } from './suites/check.ts';
import { exploreCommand } from './suites/explore.ts';
import { limitsCommand } from './suites/limits.ts';
import { lookupsCommand } from './suites/lookups.ts';
import { operationsCommand } from './suites/operations.ts';
import { rivalsCommand } from './suites/rivals.ts';
import { strategiesCommand } from './suites/strategies.ts';
import { stressCommand } from './suites/stress.ts';
import { structuresCommand } from './suites/structures.ts';
import { tornCommand } from './suites/torn.ts';

/**
 * Runs a suite.
 * @param args - what followed `gntrace bench`. @param exit - takes the exit status.
 */
export async function runBench(
  args: readonly string[],
  exit: (status: number) => void,
): Promise<void> {
  const program = new Command('gntrace bench')
    .description('measure what lookups, operations and the explorer cost')
    .addCommand(lookupsCommand(), { isDefault: true })
    .addCommand(operationsCommand())
    .addCommand(checkCommand(exit))
    .addCommand(limitsCommand())
    .addCommand(rivalsCommand())
    .addCommand(exploreCommand())
    .addCommand(strategiesCommand())
    .addCommand(structuresCommand())
    .addCommand(stressCommand())
    .addCommand(tornCommand());
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .allowExcessArguments(false);
  }
  const [suite] = args;
  if (suite !== undefined && !suite.startsWith('-')) {
    oneOf(suite, [...program.commands.map((command) => command.name()), 'help'], 'suite');
  }
  await program.parseAsync(args, { from: 'user' });
}
