/** `gntrace compare`: the same workload against every design, side by side. */
import { Command } from 'commander';
import type { RunResult } from '../threads/result.ts';
import type { RawMachineOptions } from './machine-options.ts';
import { DESIGNS, readMachineOptions } from './machine-options.ts';
import { print } from './output.ts';
import { compareRuns } from './run-text.ts';
import { exitOf, jsonOf, stressDesign, withMachineOptions } from './stress.ts';
import { EXIT_CLEAN, EXIT_FINDING, EXIT_INTERRUPTED } from './usage.ts';

/** The command. @param exit - takes the exit status. */
export function compareCommand(exit: (status: number) => void): Command {
  const command = new Command('compare').description(
    'race all designs for some seconds each on the same workload, and compare',
  );
  withMachineOptions(command, '8').action(
    async (raw: RawMachineOptions & { readonly json?: boolean }) => {
      const options = readMachineOptions(raw);
      const runs: { design: string; result: RunResult }[] = [];
      for (const design of DESIGNS) {
        const result = await stressDesign(design, options, raw.json !== true);
        runs.push({ design, result });
        if (result.interrupted) break;
      }
      if (raw.json === true) {
        const all = runs.map(({ design, result }) =>
          jsonOf(design, options, result, exitOf(result)),
        );
        print(JSON.stringify({ workload: options.workload, runs: all }));
      } else {
        print(`\n${compareRuns(runs)}`);
      }
      exit(exitOfAll(runs.map(({ result }) => exitOf(result))));
    },
  );
  return command;
}

/** A comparison does its work when it shows what breaks: findings are its result. */
function exitOfAll(statuses: readonly number[]): number {
  const bad = statuses.find((status) => status !== EXIT_CLEAN && status !== EXIT_FINDING);
  return bad ?? (statuses.includes(EXIT_INTERRUPTED) ? EXIT_INTERRUPTED : EXIT_CLEAN);
}
