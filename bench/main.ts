/** The suites of `gntrace bench`. */
import { Command } from 'commander';
import { lookupsCommand } from './suites/lookups.ts';
import { rivalsCommand } from './suites/rivals.ts';
import { tornCommand } from './suites/torn.ts';

/**
 * Runs a suite.
 * @param args - what followed `gntrace bench`. @param exit - takes the exit status.
 */
export async function runBench(
  args: readonly string[],
  _exit: (status: number) => void,
): Promise<void> {
  const program = new Command('gntrace bench')
    .description('measure what lookups, operations and the explorer cost')
    .addCommand(lookupsCommand(), { isDefault: true })
    .addCommand(rivalsCommand())
    .addCommand(tornCommand());
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .allowExcessArguments(false);
  }
  await program.parseAsync(args, { from: 'user' });
}
