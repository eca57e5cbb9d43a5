/**
 * `gntrace bench`: hands its arguments to the suites, which lie beside the source (bench/) and use
 * development dependencies; they are loaded only when they are asked for.
 */
import { Command } from 'commander';
import { UsageError } from './usage.ts';

/** What bench/main exports. */
interface Suites {
  runBench(args: readonly string[], exit: (status: number) => void): Promise<void>;
}

/** The command. @param exit - takes the exit status. */
export function benchCommand(exit: (status: number) => void): Command {
  return new Command('bench')
    .description('measure what lookups, operations and the explorer cost')
    .argument(
      '[suite]',
      'lookups, operations, check, limits, rivals, explore, strategies, structures, stress, torn',
    )
    .argument('[options...]', 'options of the suite: gntrace bench SUITE --help')
    .helpOption(false)
    .allowUnknownOption()
    .action(async () => {
      const { runBench } = await load();
      await runBench(process.argv.slice(3), exit);
    });
}

async function load(): Promise<Suites> {
  try {
    return (await import(new URL('../../bench/main.js', import.meta.url).href)) as Suites;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UsageError(
      `bench needs a checkout with its development dependencies: ${String(error)}`,
    );
  }
}
