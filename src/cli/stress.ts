/** `gntrace stress`: one design under one workload on free-running threads. */
import { Command } from 'commander';
import type { Progress } from '../threads/run.ts';
import { runFree } from '../threads/run.ts';
import { KIND_COUNT, KIND_NAMES } from '../shared/kinds.ts';
import { RETRIES } from '../shared/processor.ts';
import type { RunResult } from '../threads/result.ts';
import { interruptSignal } from './interrupt.ts';
import type { MachineOptions, RawMachineOptions } from './machine-options.ts';
import { DESIGNS, PARTS, WORKLOADS, foldSeed, readMachineOptions } from './machine-options.ts';
import { LiveLine, print, short } from './output.ts';
import { describeRun } from './run-text.ts';
import {
  EXIT_CLEAN,
  EXIT_FAILED,
  EXIT_FINDING,
  EXIT_INTERRUPTED,
  oneOf,
  seedText,
} from './usage.ts';

/** The module of the Xen machine, in any edition. */
const MACHINE_MODULE = 'workers/machine';

/** Adds the options that stress and start share. */
export function withMachineOptions(command: Command, seconds: string): Command {
  return command
    .option('--workload <name>', `what the actors do: ${WORKLOADS.join(', ')}`, WORKLOADS[0])
    .option(
      '--domains <n>',
      'domains: a driver domain, the others are its clients (default: 2 or 3)',
    )
    .option('--vcpus <n>', 'vCPUs of each domain that run programs', '2')
    .option('--frames <n>', 'machine frames (default: enough for the workload)')
    .option('--seconds <s>', 'how long each design runs', seconds)
    .option('--seed <u64>', 'seed of the workload’s choices (default: random, printed)')
    .option(
      '--without <parts>',
      `leave out ${PARTS.join(', ')}; repeat or join by commas`,
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .option('--json', 'print one JSON object instead of text');
}

/** The command. @param exit - takes the exit status. */
export function stressCommand(exit: (status: number) => void): Command {
  const command = new Command('stress').description(
    'race one design on free-running threads until the time is over',
  );
  withMachineOptions(command, '10')
    .requiredOption('--design <name>', `design of grant mapping: ${DESIGNS.join(', ')}`)
    .option('--fault <spec>', 'end a thread in the middle of the run, e.g. kill-vcpu@2s')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing found, 1 a finding, 2 wrong use, 3 tool failed.',
    )
    .action(async (raw: RawMachineOptions & { readonly json?: boolean }) => {
      const design = oneOf(raw.design ?? '', DESIGNS, 'design');
      const options = readMachineOptions(raw);
      const result = await stressDesign(design, options, raw.json !== true);
      const status = exitOf(result);
      if (raw.json === true) print(JSON.stringify(jsonOf(design, options, result, status)));
      else print(describeRun(design, options, result));
      exit(status);
    });
  return command;
}

/** Runs one design. @param announce - print the seed before anything can hang. */
export async function stressDesign(
  design: string,
  options: MachineOptions,
  announce: boolean,
): Promise<RunResult> {
  const live = new LiveLine();
  const interrupted = interruptSignal();
  try {
    return await runFree({
      worldModule: MACHINE_MODULE,
      options: { ...options.world, design },
      seconds: options.seconds,
      seed: foldSeed(options.seed),
      fault: options.fault,
      signal: interrupted.signal,
      onMachine() {
        if (!announce) return;
        print(`${design}: workload ${options.workload}, seed ${seedText(options.seed)}`);
      },
      onProgress: progressLine(design, options.seconds, live),
    });
  } finally {
    live.clear();
    interrupted.forget();
  }
}

/** Shows how a run is doing: rates since the last time, by kind, and totals. */
function progressLine(design: string, seconds: number, live: LiveLine) {
  let before = new Float64Array(RETRIES + 1);
  let beforeMs = 0;
  return ({ elapsedMs, counters, findings }: Progress): void => {
    const dt = Math.max(elapsedMs - beforeMs, 1) / 1000;
    const rate = (kind: number): number =>
      ((counters[kind] as number) - (before[kind] as number)) / dt;
    const kinds = Array.from({ length: KIND_COUNT - 1 }, (_, i) => i + 1).sort(
      (a, b) => rate(b) - rate(a),
    );
    const total = kinds.reduce((sum, kind) => sum + rate(kind), 0);
    const most = kinds.slice(0, 3).map((kind) => `${KIND_NAMES[kind]} ${short(rate(kind))}`);
    live.show(
      `${design} ${(elapsedMs / 1000).toFixed(0)}/${seconds} s  ${short(total)} op/s  ` +
        `${most.join('  ')}  retries ${short(counters[RETRIES] as number)}  findings ${findings}`,
    );
    before = counters.slice();
    beforeMs = elapsedMs;
  };
}

/** A finding wins over a lost actor; one that the user had killed is no failure of the tool. */
export function exitOf(result: RunResult): number {
  if (result.interrupted) return EXIT_INTERRUPTED;
  if (result.findings.length > 0 || result.fault?.kind === 'deadlock') return EXIT_FINDING;
  return result.fault !== null && result.fault.kind !== 'killed' ? EXIT_FAILED : EXIT_CLEAN;
}

/** The object of --json. */
export function jsonOf(
  design: string,
  options: MachineOptions,
  result: RunResult,
  exit: number,
): Record<string, unknown> {
  return {
    design,
    workload: options.workload,
    seed: seedText(options.seed),
    seconds: result.seconds,
    operations: result.operations,
    operationsPerSecond: result.operationsPerSecond,
    retries: result.retries,
    findings: result.findings.map(({ firstSeenAtSeconds, ...finding }) => ({
      ...finding,
      firstSeenAt: firstSeenAtSeconds,
    })),
    findingsNotKept: result.findingsNotKept,
    checkpoints: result.checkpoints,
    fault: result.fault,
    interrupted: result.interrupted,
    exit,
  };
}
