/** `check` as a test uses it: silent if nothing breaks, else an error that can be read. */
import type { CheckOptions, CheckResult } from './check.ts';
import { check } from './check.ts';
import type { Finding } from './finding.ts';
import { shrink } from './shrink.ts';

/** A program broke; `finding.schedule` replays it. */
export class BrokenError extends Error {
  readonly finding: Finding;
  constructor(finding: Finding, preemptions: number, executions: number) {
    super(
      `${finding.message}\n` +
        `found after ${executions} executions, shrunk to ${preemptions} preemptions\n` +
        `seed ${finding.seed}`,
    );
    this.name = 'BrokenError';
    this.finding = finding;
  }
}

/**
 * Explores a program and throws if it breaks, with the schedule made as simple as can be.
 * @param options - as for `explore`. @returns what was explored.
 * @throws BrokenError if anything broke.
 */
export function assertSafe(options: CheckOptions): CheckResult {
  const result = check(options);
  const { finding } = result;
  if (finding === undefined) return result;
  const shrunk = shrink({ options }, finding);
  throw new BrokenError(
    { ...shrunk.finding, seed: finding.seed },
    shrunk.preemptions,
    result.executions,
  );
}
