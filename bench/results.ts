/**
 * What every suite reports: one object with the machine, Node and `results`, which --json prints,
 * --html draws and --compare reads (docs/performance.md describes each field).
 */
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import * as v from 'valibot';
import { readFileSync } from 'node:fs';
import { UsageError } from '../src/cli/usage.ts';

/** Version of the form below; it changes when a field changes its meaning. */
export const SCHEMA = 'gntrace-bench/1';

const machineSchema = v.object({
  cpu: v.string(),
  cores: v.number(),
  memoryBytes: v.number(),
  os: v.string(),
  arch: v.string(),
  loadAverage: v.number(),
  noise: v.number(),
});

const latencySchema = v.object({
  p50: v.number(),
  p99: v.number(),
  p999: v.number(),
  max: v.number(),
});

const resultSchema = v.object({
  suite: v.string(),
  lookup: v.string(),
  variant: v.string(),
  entries: v.number(),
  vmas: v.number(),
  distribution: v.string(),
  sharing: v.string(),
  batch: v.number(),
  readers: v.number(),
  writer: v.number(),
  changes: v.number(),
  opsPerSecond: v.number(),
  /** Of the explorer: executions, blocked ones included. */
  executionsPerSecond: v.optional(v.number()),
  spread: v.number(),
  samples: v.array(v.number()),
  retries: v.number(),
  writerTurnsPerSecond: v.number(),
  longestMs: v.number(),
  wrong: v.number(),
  shareOfNative: v.nullable(v.number()),
  timesOneReader: v.nullable(v.number()),
  latencyNs: v.nullable(latencySchema),
});

const reportSchema = v.object({
  schema: v.literal(SCHEMA),
  node: v.string(),
  machine: machineSchema,
  seconds: v.number(),
  results: v.array(resultSchema),
});

export type Result = v.InferOutput<typeof resultSchema>;
export type Report = v.InferOutput<typeof reportSchema>;

/** The host. @param noise - spread of a loop that touches no memory, over the run. */
export function hostOf(noise: number): Report['machine'] {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    os: `${platform()} ${release()}`,
    arch: process.arch,
    loadAverage: loadavg()[0] ?? 0,
    noise,
  };
}

/** A report of results. */
export function reportOf(results: readonly Result[], noise: number, seconds: number): Report {
  return {
    schema: SCHEMA,
    node: process.versions.node,
    machine: hostOf(noise),
    seconds,
    results: [...results],
  };
}

/** Reads an earlier report. @throws UsageError if the file is none. */
export function readReport(file: string): Report {
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--compare: cannot read ${file}: ${(error as Error).message}`);
  }
  const parsed = v.safeParse(reportSchema, data);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    const where = issue.path?.map(({ key }) => String(key)).join('.') ?? 'the file';
    throw new UsageError(
      `--compare: ${file} is no report of gntrace bench: ${where}: ${issue.message}`,
    );
  }
  return parsed.output;
}

/** What makes two results comparable: everything but what was measured. */
export function cellOf(result: Result): string {
  const { suite, lookup, variant, entries, vmas, distribution, sharing, batch } = result;
  const { readers, writer, changes } = result;
  return [
    suite,
    lookup,
    variant,
    entries,
    vmas,
    distribution,
    sharing,
    batch,
    readers,
    writer,
    changes,
  ].join(' ');
}
