/** A shard that broke what runs it, as a finding: how to see that again. */
import { STRETCH } from '../explore/strategy.ts';
import type { CellName, Shard } from './cells/cell.ts';
import type { Failure, Sighting } from './work.ts';

/** Findings of this kind have no schedule: what runs it did not live to tell. */
export const WORKER = 'worker';

/** The command that runs what the shard ran, or the part of it that did not end. */
export function commandOf(cell: CellName, { work }: Shard, { begun }: Failure): string {
  const { scenario, design, param, memory, strategy, depth } = cell;
  if (work.kind === 'shrink') return `gntrace shrink ${work.seed}`;
  const { question } = work;
  const how = [
    ...(design === '' ? [] : [`--design ${design}`]),
    `--memory ${memory} --strategy ${strategy} --seed ${question.seed}`,
  ].join(' ');
  const size = param === 0 ? '' : ` --param ${param}`;
  if (work.kind === 'fuzz') {
    return `gntrace fuzz ${how} --executions ${work.executions}`;
  }
  const base = `gntrace explore ${scenario}${size} ${how} --depth ${depth}`;
  if (work.kind !== 'draw') return base;
  if (begun === 0) return `${base} --first ${work.first} --executions ${work.executions}`;
  // What a strategy has learned in a stretch, it has learned from its beginning on.
  const failed = work.first + begun - 1;
  const first = failed - (failed % STRETCH);
  return `${base} --first ${first} --executions ${failed - first + 1}`;
}

/** The finding. */
export function failureSighting(cell: CellName, shard: Shard, failure: Failure): Sighting {
  const { scenario, design, memory } = cell;
  const { reason, message, begun } = failure;
  const where = begun === 0 ? 'before its first execution' : `in execution ${begun} of it`;
  return {
    scenario,
    design,
    memory,
    fingerprint: `${WORKER} ${reason}`,
    invariant: `${WORKER} ${reason}`,
    message: `shard ${shard.number} ${where}: ${message}`,
    words: [],
    seed: commandOf(cell, shard, failure),
    steps: 0,
    preemptions: 0,
    times: 1,
  };
}
