/** `gntrace lockstep`: holds fibers and real threads against each other, over many schedules. */
import { Command } from 'commander';
import type { Agreement, Pairing } from '../campaign/lockstep.ts';
import { compareInLockstep } from '../campaign/lockstep.ts';
import { interruptSignal } from './interrupt.ts';
import { LiveLine, bold, green, print, red } from './output.ts';
import { castModuleOf, findScenario, scenarios } from './scenarios.ts';
import { EXIT_CLEAN, EXIT_FAILED, EXIT_INTERRUPTED, wholeNumber } from './usage.ts';

interface RawOptions {
  readonly seeds: string;
  readonly json?: boolean;
}

/** The command. @param exit - takes the exit status. */
export function lockstepCommand(exit: (status: number) => void): Command {
  return new Command('lockstep')
    .description('follow random schedules on real threads and compare every operation and value')
    .argument('[scenario]', 'one scenario only (default: all, in all designs)')
    .option('--seeds <n>', 'schedules in all, half of them under sc, half under tso', '1000')
    .option('--json', 'print one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 they agree, 2 wrong use, 3 they differ, 130 interrupted.',
    )
    .action(async (name: string | undefined, raw: RawOptions) => {
      const seeds = wholeNumber(raw.seeds, '--seeds', 1);
      const chosen = name === undefined ? scenarios : [findScenario(name)];
      const { signal, forget } = interruptSignal();
      const live = new LiveLine();
      const agreement = await compareInLockstep(pairingsOf(chosen), seeds, (pairing, sofar) => {
        live.show(`${sofar.schedules} of ${seeds}  ${pairing.scenario.name} ${pairing.design}`);
        return !signal.aborted;
      });
      forget();
      live.clear();
      if (raw.json === true) print(JSON.stringify(agreement));
      else describe(agreement);
      if (agreement.differences.length > 0) exit(EXIT_FAILED);
      else exit(signal.aborted ? EXIT_INTERRUPTED : EXIT_CLEAN);
    });
}

function pairingsOf(chosen: typeof scenarios): Pairing[] {
  return chosen.flatMap((scenario) => {
    const designs = scenario.designs.length > 0 ? scenario.designs : [''];
    const module = castModuleOf(scenario);
    return designs.map((design) => ({ scenario, design, module }));
  });
}

function describe({ schedules, steps, differences }: Agreement): void {
  const verdict = differences.length === 0 ? green('agree') : red('differ');
  print(`${bold('fibers and lockstep')}  ${verdict}`);
  for (const difference of differences) print(`  ${difference}`);
  print(`  ${schedules} schedules, ${steps} operations and flushes compared`);
}
