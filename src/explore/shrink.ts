/**
 * Shrinks a finding: delta debugging (Zeller) over schedule and program. Every candidate is
 * replayed and must break the same invariant on the same words. The result is minimal: without
 * any one of its switches, of its actors, or of the operations that the program can do without,
 * it no longer fails. A smaller program that fails even when its actors run one after the other
 * has lost the race (an actor whose work is missed, say) and is not taken.
 */
import type { CheckOptions } from './check.ts';
import type { Complaint, Finding } from './finding.ts';
import type { Replayed, Schedule } from './replay.ts';
import { replay } from './replay.ts';

/** A program that can become smaller. */
export interface Shrinkable {
  readonly options: CheckOptions;
  /** The same program with one operation less, in every way; none if it is as small as can be. */
  readonly smaller?: () => Iterable<Shrinkable>;
}

/** How far the shrinker has come. */
export interface ShrinkProgress {
  readonly replays: number;
  readonly actors: number;
  readonly preemptions: number;
  readonly steps: number;
}

export interface Shrunk extends ShrinkProgress {
  readonly program: Shrinkable;
  /** Names of actors that have nothing to do with it; they no longer run. */
  readonly dropped: readonly string[];
  readonly finding: Omit<Finding, 'seed'>;
}

/** The schedule of actors that run one after the other. */
const oneByOne: Schedule = { schedule: [], choices: [] };

interface State {
  readonly program: Shrinkable;
  readonly idle: ReadonlySet<number>;
  readonly run: Replayed;
}

/** Shrinks a finding of a program. @param report - told after every success. */
export function shrink(
  program: Shrinkable,
  finding: Complaint & Schedule,
  report: (progress: ShrinkProgress) => void = () => {},
): Shrunk {
  let replays = 0;
  const attempt = (
    candidate: Shrinkable,
    idle: ReadonlySet<number>,
    schedule: Schedule,
  ): State | null => {
    replays++;
    const run = replay(without(candidate.options, idle), schedule, true);
    return isSame(run.complaint, finding) ? { program: candidate, idle, run } : null;
  };
  const failsAlways = (candidate: Shrinkable, idle: ReadonlySet<number>): boolean =>
    isSame(replay(without(candidate.options, idle), oneByOne, true).complaint, finding);
  const racy = !failsAlways(program, new Set());
  const reduce: Attempt = (candidate, idle, schedule) =>
    racy && failsAlways(candidate, idle) ? null : attempt(candidate, idle, schedule);
  const first = attempt(program, new Set(), finding);
  if (first === null) throw new RangeError('the finding does not show when it is replayed');
  let state = first;
  const progress = (): ShrinkProgress => ({
    replays,
    actors: state.program.options.actors.length - state.idle.size,
    preemptions: state.run.preemptions,
    steps: state.run.schedule.length,
  });
  for (let better: State | null = state; better !== null;) {
    state = better;
    report(progress());
    better = reduced(state, reduce) ?? simplified(state, attempt);
  }
  const { actors } = state.program.options;
  return {
    ...progress(),
    program: state.program,
    dropped: actors.filter((_, i) => state.idle.has(i)).map(({ name }) => name),
    finding: {
      ...(state.run.complaint as Complaint),
      schedule: state.run.schedule,
      choices: state.run.choices,
    },
  };
}

type Attempt = (program: Shrinkable, idle: ReadonlySet<number>, schedule: Schedule) => State | null;

/** A smaller program that still fails, or null. */
function reduced({ program, idle, run }: State, attempt: Attempt): State | null {
  for (let i = 0; i < program.options.actors.length; i++) {
    if (idle.has(i) || isInterrupted(program.options, i)) continue;
    const found = attempt(program, new Set([...idle, i]), run);
    if (found !== null) return found;
  }
  for (const smaller of program.smaller?.() ?? []) {
    const found = attempt(smaller, idle, run);
    if (found !== null) return found;
  }
  return null;
}

/** A simpler schedule of the same program that still fails, or null. */
function simplified({ program, idle, run }: State, attempt: Attempt): State | null {
  for (const schedule of simplerSchedules(run)) {
    const found = attempt(program, idle, { schedule, choices: run.choices });
    if (found !== null && isSimpler(found.run, run)) return found;
  }
  for (const choices of simplerChoices(run.choices)) {
    const found = attempt(program, idle, { schedule: run.schedule, choices });
    if (found !== null && isSimpler(found.run, run)) return found;
  }
  return null;
}

function isInterrupted(options: CheckOptions, actor: number): boolean {
  return options.actors.some(({ interrupts }) => interrupts?.actor === actor);
}

function without(options: CheckOptions, idle: ReadonlySet<number>): CheckOptions {
  if (idle.size === 0) return options;
  const actors = options.actors.map((actor, i) => (idle.has(i) ? { ...actor, body: rest } : actor));
  return { ...options, actors };
}

// oxlint-disable-next-line require-yield -- an actor that does nothing
function* rest(): Generator<undefined, void, undefined> {}

function isSame(complaint: Complaint | null, finding: Complaint): boolean {
  return (
    complaint !== null &&
    complaint.invariant === finding.invariant &&
    complaint.words.join() === finding.words.join()
  );
}

/** Fewer preemptions, then fewer turns, then fewer steps, then smaller choices. */
function isSimpler(a: Replayed, b: Replayed): boolean {
  if (a.preemptions !== b.preemptions) return a.preemptions < b.preemptions;
  const turns = turnsOf(a.schedule).length - turnsOf(b.schedule).length;
  if (turns !== 0) return turns < 0;
  if (a.schedule.length !== b.schedule.length) return a.schedule.length < b.schedule.length;
  return sum(a.choices) < sum(b.choices);
}

function sum(all: readonly number[]): number {
  return all.reduce((total, one) => total + one, 0);
}

interface Turn {
  readonly process: number;
  readonly steps: number;
}

function turnsOf(schedule: readonly number[]): Turn[] {
  const turns: Turn[] = [];
  for (const process of schedule) {
    const last = turns.at(-1);
    if (last?.process === process) turns[turns.length - 1] = { process, steps: last.steps + 1 };
    else turns.push({ process, steps: 1 });
  }
  return turns;
}

function scheduleOf(turns: readonly Turn[]): number[] {
  return turns.flatMap(({ process, steps }) => Array.from({ length: steps }, () => process));
}

/** Schedules that could fail with fewer switches: long cuts first, then single turns. */
function* simplerSchedules(run: Schedule): Generator<number[]> {
  const turns = turnsOf(run.schedule);
  for (let size = turns.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from + size <= turns.length; from += size) {
      yield scheduleOf([...turns.slice(0, from), ...turns.slice(from + size)]);
    }
  }
  for (let cut = turns.length - 1; cut > 0; cut--) yield scheduleOf(turns.slice(0, cut));
  for (let i = 0; i + 2 < turns.length; i++) {
    const later = turns.findIndex(({ process }, k) => k > i + 1 && process === turns[i].process);
    if (later < 0) continue;
    const between = turns.slice(i + 1, later);
    const tail = turns.slice(later + 1);
    yield scheduleOf([...turns.slice(0, i), turns[i], turns[later], ...between, ...tail]);
    yield scheduleOf([...turns.slice(0, i), ...between, turns[i], turns[later], ...tail]);
  }
}

function* simplerChoices(choices: readonly number[]): Generator<number[]> {
  for (let i = 0; i < choices.length; i++) {
    if (choices[i] > 0) yield choices.with(i, 0);
  }
}
