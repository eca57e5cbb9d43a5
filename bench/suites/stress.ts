/**
 * How fast free-running threads are, with the oracle listening, and whether memory stays flat.
 *
 *   gntrace bench stress                 10 s each: operations/s, and CPU time of an operation
 *   gntrace bench stress --soak 300   vma-pages for 5 minutes, memory every 10 s
 *
 * The rate of a run depends on who else uses the cores; the CPU time an operation less so.
 */
import { Command } from 'commander';
import { print } from '../../src/cli/output.ts';
import { positiveNumber } from '../../src/cli/usage.ts';
import { DESIGN_NAMES } from '../../src/linux/designs/design.ts';
import type { RunSpec } from '../../src/threads/run.ts';
import { runFree } from '../../src/threads/run.ts';

const SECONDS = 10;
const SAMPLE_MS = 10_000;

function spec(design: string, workload: string, seconds: number): RunSpec {
  return {
    worldModule: 'workers/machine',
    options: { design, workload, domains: 2, vcpus: 1, frames: 0, without: [] },
    seconds,
    seed: 1,
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

async function measure(design: string, workload: string): Promise<void> {
  let before = process.cpuUsage();
  const onStart = (): void => {
    before = process.cpuUsage();
  };
  const result = await runFree({ ...spec(design, workload, SECONDS), onStart });
  const used = process.cpuUsage(before);
  const cpuMs = (used.user + used.system) / 1000;
  const perSecond = (result.operationsPerSecond / 1e6).toFixed(2);
  const perOperation = ((cpuMs * 1e6) / result.operationCount).toFixed(0);
  const cores = (cpuMs / 1000 / result.seconds).toFixed(2);
  print(
    `${design.padEnd(14)} ${workload.padEnd(10)} ${perSecond} M operations/s  ` +
      `${perOperation} ns of CPU each  ` +
      `${cores} cores busy  ${result.findings.length} findings`,
  );
}

async function soak(seconds: number): Promise<void> {
  const samples: number[] = [];
  const sample = (): void => {
    const { rss, heapUsed } = process.memoryUsage();
    samples.push(rss);
    print(`${samples.length * 10} s  rss ${megabytes(rss)}  main heap ${megabytes(heapUsed)}`);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  const result = await runFree(spec('vma-pages', 'block', seconds));
  clearInterval(timer);
  // The first third warms up: compilers and heaps of a dozen threads.
  const settled = samples.slice(Math.floor(samples.length / 3));
  const growth = (settled.at(-1) ?? 0) - (settled[0] ?? 0);
  print(
    `${(result.operationsPerSecond / 1e6).toFixed(2)} M operations/s, ` +
      `${result.findings.length} findings, rss grew ${megabytes(growth)} after warming up`,
  );
}

/** The command. */
export function stressCommand(): Command {
  return new Command('stress')
    .description('free-running threads with the oracle listening: rates, and memory over time')
    .option('--soak <s>', 'vma-pages for so long, memory every 10 s')
    .action(async (raw: { readonly soak?: string }) => {
      if (raw.soak !== undefined) {
        await soak(positiveNumber(raw.soak, '--soak', 1e6));
        return;
      }
      for (const workload of ['toolstack', 'direct', 'block']) {
        for (const design of DESIGN_NAMES.slice(1)) await measure(design, workload);
      }
    });
}
