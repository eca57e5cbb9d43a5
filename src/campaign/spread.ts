/**
 * Spreads the executions of a random strategy over threads. Ranges are handed out in order and
 * put together in order: the verdict, the finding (that of the lowest execution) and all totals
 * are those of a run on one thread, whoever was faster.
 */
import type { CheckResult } from '../explore/check.ts';
import type { Question, Range } from '../explore/range.ts';
import { STRETCH } from '../explore/strategy.ts';
import type { Runner } from './pool.ts';

/** A range should take about so long: short enough to stop soon, long against its hand-over. */
const RANGE_MS = 500;
const MOST_STRETCHES = 64;
const NO_END = 0x7fffffff;

/** How far to go. */
export interface Limits {
  readonly executions: number;
  readonly seconds: number;
  /** Of a strategy that draws: the number of the first execution, a multiple of STRETCH. */
  readonly first?: number;
  /** Ends the run early; what was found until then counts. */
  readonly signal?: AbortSignal;
}

/** A range that was handed out, and what came of it. */
type Outcome = { readonly range: Range } & (
  { readonly result: CheckResult } | { readonly failure: unknown }
);

class Spread {
  readonly outcomes: Outcome[] = [];
  private readonly question: Question;
  private readonly executions: number;
  private readonly deadlineMs: number;
  private readonly runner: Runner;
  private readonly end = new Int32Array(new SharedArrayBuffer(4)).fill(NO_END);
  private next: number;
  private stretches = 1;

  constructor(question: Question, { executions, seconds, first = 0 }: Limits, runner: Runner) {
    this.question = question;
    this.next = first;
    this.executions = Math.min(first + executions, NO_END);
    this.deadlineMs = performance.now() + seconds * 1000;
    this.runner = runner;
  }

  /** Nothing from execution `number` on need be run any more. */
  stopAt(number: number): void {
    if (number < Atomics.load(this.end, 0)) Atomics.store(this.end, 0, number);
  }

  /** Runs ranges one after another until none is left. */
  async work(): Promise<void> {
    for (let range = this.take(); range !== null; range = this.take()) {
      const from = performance.now();
      const outcome = await this.attempt(range);
      this.outcomes.push(outcome);
      if ('failure' in outcome || outcome.result.finding !== undefined) this.stopAt(range.first);
      this.fit(performance.now() - from);
    }
  }

  private take(): Range | null {
    const { question, end, next: first } = this;
    const seconds = (this.deadlineMs - performance.now()) / 1000;
    if (seconds <= 0 || first >= Math.min(this.executions, Atomics.load(end, 0))) return null;
    const executions = Math.min(this.stretches * STRETCH, this.executions - first);
    this.next += executions;
    return { question, first, executions, seconds, end };
  }

  private async attempt(range: Range): Promise<Outcome> {
    try {
      return { range, result: await this.runner.run(range) };
    } catch (error) {
      return { range, failure: error };
    }
  }

  /** Makes the next ranges longer or shorter. */
  private fit(ms: number): void {
    if (ms < RANGE_MS / 2) this.stretches = Math.min(this.stretches * 2, MOST_STRETCHES);
    else if (ms > RANGE_MS * 2) this.stretches = Math.max(this.stretches >> 1, 1);
  }
}

/** Explores a question on the threads of a runner. */
export async function spread(
  question: Question,
  limits: Limits,
  runner: Runner,
): Promise<CheckResult> {
  const run = new Spread(question, limits, runner);
  const stop = (): void => run.stopAt(0);
  limits.signal?.addEventListener('abort', stop);
  try {
    await Promise.all(Array.from({ length: runner.workers }, () => run.work()));
  } finally {
    limits.signal?.removeEventListener('abort', stop);
  }
  return merge(run.outcomes);
}

/** Puts outcomes together up to the first finding. Throws if something before it is unknown. */
function merge(outcomes: Outcome[]): CheckResult {
  outcomes.sort((a, b) => a.range.first - b.range.first);
  const total = { executions: 0, blocked: 0, discarded: 0, steps: 0 };
  for (const outcome of outcomes) {
    if ('failure' in outcome) throw failureOf(outcome.range, outcome.failure, outcomes);
    const { result } = outcome;
    total.executions += result.executions;
    total.blocked += result.blocked;
    total.discarded += result.discarded;
    total.steps += result.steps;
    if (result.finding !== undefined) {
      return { ...total, verdict: 'broken', exhausted: false, finding: result.finding };
    }
  }
  return { ...total, verdict: 'undecided', exhausted: false };
}

/** Names what nobody knows, and what is known of what comes after it. */
function failureOf(
  { question, first, executions }: Range,
  cause: unknown,
  outcomes: readonly Outcome[],
): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  const later = outcomes
    .map((outcome) => ('result' in outcome ? outcome.result.finding : undefined))
    .find((finding) => finding !== undefined);
  const known = later === undefined ? '' : `; a later one is broken: gntrace replay ${later.seed}`;
  const what = `executions ${first} to ${first + executions - 1} of ${question.scenario}`;
  const how = `${question.strategy}, seed ${question.seed}`;
  return new Error(`${what} (${how}) are unknown: ${why}${known}`, { cause });
}
