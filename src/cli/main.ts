#!/usr/bin/env node
/** The command line: commands, and what wrong use and failures look like. */
import { Command, CommanderError } from 'commander';
import { commandsFor } from './commands.ts';
import { complain, surviveClosedPipes } from './output.ts';
import { EXIT_CLEAN, EXIT_FAILED, EXIT_USAGE, UsageError } from './usage.ts';
import { version } from './version.ts';

/** Runs the command line. @returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  let status = EXIT_CLEAN;
  const exit = (next: number): void => {
    status = next;
  };
  const program = new Command('gntrace')
    .description('a laboratory for races in Xen grant mapping')
    .version(version(), '-V, --version')
    .helpCommand(true)
    .enablePositionalOptions();
  for (const command of await commandsFor(args, exit)) program.addCommand(command);
  settle(program);
  if (args.length === 0) {
    process.stdout.write(program.helpInformation());
    return EXIT_CLEAN;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return await statusOf(error);
  }
  return status;
}

/** Lets wrong use of a command, and of those below it, come back here. */
function settle(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .allowExcessArguments(false);
  for (const below of command.commands) settle(below);
}

/** Says in one line what went wrong. @returns the exit status for it. */
async function statusOf(error: unknown): Promise<number> {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT_CLEAN;
    complain(error.message.replace(/^error: /, ''));
    return EXIT_USAGE;
  }
  // Loaded for failures only: a listing is to be there at once.
  const { ConfigError } = await import('../shared/layout.ts');
  if (error instanceof UsageError || error instanceof ConfigError) {
    complain(error.message);
    return EXIT_USAGE;
  }
  complain(`failed: ${error instanceof Error ? error.message : String(error)}`);
  return EXIT_FAILED;
}

surviveClosedPipes();
process.exitCode = await main(process.argv.slice(2));
