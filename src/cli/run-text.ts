/** A run in words: for one design, and for several side by side. */
import type { FaultReport, RunFinding, RunResult } from '../threads/result.ts';
import type { MachineOptions } from './machine-options.ts';
import { bold, green, red, short } from './output.ts';
import { seedText } from './usage.ts';

/** Findings that are printed in full; --json has them all. */
const SHOWN = 8;

/** The summary of one run. */
export function describeRun(design: string, options: MachineOptions, result: RunResult): string {
  const kinds = Object.entries(result.operations).sort(([, a], [, b]) => b - a);
  const { stopped, atRest, missed } = result.checkpoints;
  return [
    `${short(result.operationCount)} operations in ${result.seconds.toFixed(1)} s, ` +
      `${short(result.operationsPerSecond)}/s, ${short(result.retries)} retries`,
    `  ${kinds.map(([kind, count]) => `${kind} ${short(count)}`).join(', ')}`,
    `checked with the world stopped ${stopped} times, at rest ${atRest} times` +
      (missed > 0 ? `, ${missed} times not reached` : ''),
    ...(result.interrupted ? ['interrupted: these are partial results'] : []),
    ...describeFault(result.fault),
    ...describeFindings(result),
    `again    gntrace stress --design ${design} --workload ${options.workload} ` +
      `--seed ${seedText(options.seed)} --seconds ${options.seconds}`,
  ].join('\n');
}

function describeFault(fault: FaultReport | null): string[] {
  if (fault === null) return [];
  const who = fault.actors.join(', ');
  const words = fault.words.length > 0 ? `, waiting for ${fault.words.join(', ')}` : '';
  const asked = fault.injected ? ' (asked for by --fault)' : '';
  const line = red(`${who}: ${fault.kind}${words} at ${fault.atSeconds.toFixed(2)} s${asked}`);
  return [line, ...(fault.error === '' ? [] : [`  ${fault.error.split('\n', 1)[0]}`])];
}

function describeFindings(result: RunResult): string[] {
  const { findings } = result;
  if (findings.length === 0) return [green('nothing found')];
  const all = byViolation(findings);
  const more = findings.length - all.length;
  return [
    red(bold(all.length === 1 ? '1 kind of finding' : `${all.length} kinds of finding`)) +
      (more > 0 ? `, at ${findings.length} places` : ''),
    ...all
      .slice(0, SHOWN)
      .flatMap((finding) => [
        `  ${bold(finding.invariant)} ${finding.what}`,
        `     means  ${finding.meaning}`,
        `     words  ${finding.words.join(', ') || 'none'}`,
        `     first  after ${finding.firstSeenAtSeconds.toFixed(2)} s, ` +
          `by ${finding.actors.join(', ')}; ${finding.count} times in all`,
      ]),
    ...(all.length > SHOWN ? [`  … ${all.length - SHOWN} more: --json has them`] : []),
  ];
}

/** One finding for each violation: the first place, the number of all. */
export function byViolation(findings: readonly RunFinding[]): RunFinding[] {
  const kinds = new Map<string, RunFinding>();
  for (const finding of findings) {
    const key = `${finding.invariant} ${finding.what}`;
    const before = kinds.get(key);
    kinds.set(
      key,
      before === undefined ? finding : { ...before, count: before.count + finding.count },
    );
  }
  return [...kinds.values()];
}

function column(text: string): string {
  return text.padEnd(22);
}

/** Several designs under the same workload, a column each. */
export function compareRuns(runs: readonly { design: string; result: RunResult }[]): string {
  const rows: [string, (result: RunResult) => string][] = [
    ['operations/s', (result) => short(result.operationsPerSecond)],
    ['operations', (result) => short(result.operationCount)],
    ['retries', (result) => short(result.retries)],
    ['ran', (result) => `${result.seconds.toFixed(1)} s`],
    ['checkpoints', ({ checkpoints }) => String(checkpoints.stopped + checkpoints.atRest)],
    ['lost actors', ({ fault }) => (fault === null ? 'none' : fault.actors.join(', '))],
    ['findings', ({ findings }) => (findings.length === 0 ? 'none' : foundBy(findings))],
    ['first after', ({ findings }) => firstAfter(findings)],
  ];
  const table = [
    bold((''.padEnd(14) + runs.map(({ design }) => column(design)).join('')).trimEnd()),
    ...rows.map(([name, cell]) =>
      (name.padEnd(14) + runs.map(({ result }) => column(cell(result))).join('')).trimEnd(),
    ),
  ];
  const meanings = runs.flatMap(({ design, result }) => [
    '',
    bold(design),
    ...describeFault(result.fault),
    ...describeFindings(result),
  ]);
  return [...table, ...meanings].join('\n');
}

function foundBy(findings: readonly RunFinding[]): string {
  return [...new Set(findings.map(({ invariant }) => invariant))].join(', ');
}

function firstAfter(findings: readonly RunFinding[]): string {
  const first = findings[0];
  return first === undefined ? '' : `${first.firstSeenAtSeconds.toFixed(2)} s`;
}
