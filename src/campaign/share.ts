/**
 * Shares an exhaustive search out over threads. Each explores a subtree for a while, then puts it
 * down: what is left of it can be picked up by anybody, and what it asked for above its root is
 * met here. Every class of executions is explored once, as on one thread, so verdict and totals
 * are the same; only the redundant executions of source-DPOR, which are cut short, can vary.
 *
 * A program that chooses data is explored by one thread from the start: its subtrees cannot be
 * told apart by the order of the processes alone.
 */
import type { CheckResult } from '../explore/check.ts';
import { WHOLE_TREE } from '../explore/dpor/subtree.ts';
import type { Portion, Portioned } from '../explore/portion.ts';
import type { Question } from '../explore/range.ts';
import type { Runner } from './pool.ts';
import type { Limits } from './spread.ts';
import type { Stock } from './stock.ts';
import { wholeStock } from './stock.ts';

/** Executions of the first portions: the others want something to do soon. */
const FIRST_EXECUTIONS = 20;
const PORTION_SECONDS = 0.3;

class Sharing {
  readonly total = { executions: 0, blocked: 0, discarded: 0, steps: 0 };
  finding: CheckResult['finding'];
  failure: unknown = null;
  /** Left to nobody: limits were reached. */
  cut = false;
  chooses = false;
  private readonly stock: Stock;
  private readonly question: Question;
  private readonly runner: Runner;
  private readonly deadlineMs: number;
  private readonly end = new Int32Array(new SharedArrayBuffer(4)).fill(1);
  private executions: number;
  private portions = 0;
  private busy = 0;
  private wake: () => void = () => {};
  private changed: Promise<void>;

  constructor(question: Question, { executions, seconds }: Limits, runner: Runner) {
    this.question = question;
    this.executions = executions;
    this.deadlineMs = performance.now() + seconds * 1000;
    this.runner = runner;
    this.stock = wholeStock(question.strategy);
    this.changed = this.change();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** Nothing more need be run. */
  stop(): void {
    Atomics.store(this.end, 0, 0);
  }

  /** Runs portions until nothing is left. */
  async work(): Promise<void> {
    for (;;) {
      const portion = this.take();
      if (portion === null) {
        if (this.busy === 0) return;
        await this.changed;
        continue;
      }
      await this.run(portion);
    }
  }

  private take(): Portion | null {
    const { question, end, runner } = this;
    // What others were given and do not use comes back.
    const waits = this.executions <= 0 && this.busy > 0;
    if (waits || Atomics.load(end, 0) === 0) return null;
    const part = this.stock.next();
    if (part === null) return null;
    const seconds = (this.deadlineMs - performance.now()) / 1000;
    this.cut ||= seconds <= 0 || this.executions <= 0;
    if (this.cut) return null;
    const short = this.portions++ < 2 * runner.workers;
    const fair = Math.ceil(this.executions / (2 * runner.workers));
    const executions = short ? Math.min(fair, FIRST_EXECUTIONS) : fair;
    this.executions -= executions;
    return { question, part, executions, seconds: Math.min(seconds, PORTION_SECONDS), end };
  }

  private async run(portion: Portion): Promise<void> {
    this.busy++;
    try {
      this.add(portion, await this.runner.share(portion));
    } catch (error) {
      this.failure ??= error;
      this.stop();
    }
    this.busy--;
    this.wake();
    this.changed = this.change();
  }

  private add(portion: Portion, portioned: Portioned): void {
    const { total } = this;
    const { executions, blocked, discarded, steps, finding } = portioned.result;
    this.executions += portion.executions - executions - blocked - discarded;
    total.executions += executions;
    total.blocked += blocked;
    total.discarded += discarded;
    total.steps += steps;
    this.chooses ||= portioned.share?.chooses === true;
    this.cut ||= executions + blocked + discarded === 0;
    this.finding ??= finding;
    if (finding !== undefined || this.chooses) this.stop();
    else this.stock.takeBack(portion.part, portioned);
  }
}

/** Explores a question on the threads of a runner. */
export async function shareOut(
  question: Question,
  limits: Limits,
  runner: Runner,
): Promise<CheckResult> {
  const sharing = new Sharing(question, limits, runner);
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    sharing.stop();
  };
  limits.signal?.addEventListener('abort', stop);
  try {
    await Promise.all(Array.from({ length: runner.workers }, () => sharing.work()));
    if (sharing.failure !== null) throw failureOf(question, sharing.failure);
    const { total, finding, cut, chooses } = sharing;
    if (finding !== undefined) return { ...total, verdict: 'broken', exhausted: false, finding };
    if (chooses && !stopped) return await onOneThread(question, limits, runner);
    const exhausted = !cut && !stopped;
    return { ...total, verdict: exhausted ? 'safe' : 'undecided', exhausted };
  } finally {
    limits.signal?.removeEventListener('abort', stop);
  }
}

async function onOneThread(
  question: Question,
  limits: Limits,
  runner: Runner,
): Promise<CheckResult> {
  const { executions, seconds, signal } = limits;
  const end = new Int32Array(new SharedArrayBuffer(4)).fill(1);
  const stop = (): void => {
    Atomics.store(end, 0, 0);
  };
  signal?.addEventListener('abort', stop);
  try {
    const part = { subtree: WHOLE_TREE };
    const { result } = await runner.share({ question, part, executions, seconds, end });
    return result;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function failureOf({ scenario, strategy }: Question, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`a part of ${scenario} (${strategy}) is unknown: ${why}`, { cause });
}
