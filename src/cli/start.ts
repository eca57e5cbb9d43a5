/** `gntrace start`: the matrix with its page, for who sees the project for the first time. */
import { Command } from 'commander';
import type { RawMatrixOptions } from './matrix.ts';
import { USUAL_PAGE, showMatrix, withMatrixOptions } from './matrix.ts';
import { EXIT_CLEAN, EXIT_FAILED, EXIT_INTERRUPTED } from './usage.ts';

/** The command. @param exit - takes the exit status: broken cells are what it is meant to show. */
export function startCommand(exit: (status: number) => void): Command {
  const command = new Command('start').description('the matrix, and its page on the disk');
  return withMatrixOptions(command).action(async (raw: RawMatrixOptions) => {
    const { interrupted, failures } = await showMatrix({ ...raw, html: raw.html ?? USUAL_PAGE });
    const failed = failures.length > 0 ? EXIT_FAILED : EXIT_CLEAN;
    exit(interrupted ? EXIT_INTERRUPTED : failed);
  });
}
