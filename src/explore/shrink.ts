/**
 * Shrinks a finding: delta debugging (Zeller) over program and schedule. Every candidate is run and
 * must break the same invariant on the same words. The result is minimal: without any one of its
 * switches, of its actors, or of what the program can do without, it no longer fails. A smaller
 * program that fails even when its actors run one after the other has lost the race (an actor whose
 * work is missed, say) and is not taken.
 */
import { attach } from '../shared/layout.ts';
import type { CheckOptions } from './check.ts';
import { complaintAtEnd, fibersFor, strategyFor } from './check.ts';
import type { Complaint, Finding } from './finding.ts';
import { RUNNING } from './fibers.ts';
import { leaveOut } from './leave-out.ts';
import type { Replayed, Schedule } from './replay.ts';
import { replay } from './replay.ts';
import { isSimpler, simpler } from './simpler.ts';

/** A program that can become smaller. */
export interface Shrinkable {
  readonly options: CheckOptions;
  /**
   * For each actor its number in the larger program that this one comes from, -1 for none. If it
   * is not given, actors of the same name are the same.
   */
  readonly was?: readonly number[];
  /** The same program with one operation less, in every way; none if it is as small as can be. */
  readonly smaller?: () => Iterable<Shrinkable>;
}

/** How far the shrinker has come. */
export interface ShrinkProgress {
  /** Executions. */
  readonly replays: number;
  readonly actors: number;
  readonly preemptions: number;
  readonly steps: number;
}

export interface Shrunk extends ShrinkProgress {
  readonly program: Shrinkable;
  /** Numbers of the actors that have nothing to do with it; they no longer run. */
  readonly without: readonly number[];
  /** Their names. */
  readonly dropped: readonly string[];
  readonly finding: Omit<Finding, 'seed'>;
}

export interface ShrinkOptions {
  /** Actors that do not run from the start. */
  readonly without?: readonly number[];
  /**
   * Steps by which each of two strategies seeks a schedule for a smaller program that the schedule
   * at hand does not break: with an operation less, the same switches fall elsewhere.
   */
  readonly searchSteps?: number;
  /** Time after which the smallest one so far is good enough. Without it, it is minimal. */
  readonly seconds?: number;
}

/** The schedule of actors that run one after the other. */
const oneByOne: Schedule = { schedule: [], choices: [] };

interface State {
  readonly program: Shrinkable;
  readonly without: readonly number[];
  readonly run: Replayed;
}

/** Shrinks a finding of a program. @param report - told after every success. */
export function shrink(
  program: Shrinkable,
  finding: Complaint & Schedule,
  report: (progress: ShrinkProgress) => void = () => {},
  options: ShrinkOptions = {},
): Shrunk {
  return new Shrinker(finding, report, options).shrink(program, options.without ?? [], finding);
}

/** Whatever the time: is it a race, and does the finding show at all? */
const FIRST_REPLAYS = 2;

class Shrinker {
  private readonly finding: Complaint;
  private readonly report: (progress: ShrinkProgress) => void;
  private readonly searchSteps: number;
  private readonly deadline: number;
  /** Programs for which a schedule was sought in vain. */
  private readonly sought = new Set<string>();
  private replays = 0;
  private racy = true;

  constructor(
    finding: Complaint,
    report: (progress: ShrinkProgress) => void,
    { searchSteps = 0, seconds = Infinity }: ShrinkOptions,
  ) {
    this.finding = finding;
    this.report = report;
    this.searchSteps = searchSteps;
    this.deadline = performance.now() + seconds * 1000;
  }

  shrink(program: Shrinkable, without: readonly number[], found: Schedule): Shrunk {
    this.racy = !this.failsAlways(program, without);
    const first = this.attempt(program, without, found);
    if (first === null) throw new RangeError('the finding does not show when it is replayed');
    let state = first;
    for (let before: State | null = null; before !== state;) {
      before = state;
      state = this.whileItGoes(state, (one) => this.reduced(one));
      state = this.whileItGoes(state, (one) => this.simplified(one));
    }
    attach(state.program.options.machine);
    const { actors } = state.program.options;
    return {
      ...this.progress(state),
      program: state.program,
      without: state.without,
      dropped: state.without.map((i) => actors[i].name),
      finding: {
        ...(state.run.complaint as Complaint),
        schedule: state.run.schedule,
        choices: state.run.choices,
      },
    };
  }

  private progress({ program, without, run }: State): ShrinkProgress {
    return {
      replays: this.replays,
      actors: program.options.actors.length - without.length,
      preemptions: run.preemptions,
      steps: run.schedule.length,
    };
  }

  private whileItGoes(from: State, step: (state: State) => State | null): State {
    let state = from;
    for (let better: State | null = state; better !== null; better = step(state)) {
      state = better;
      this.report(this.progress(state));
    }
    return state;
  }

  /** A smaller program that still fails, or null. */
  private reduced(state: State): State | null {
    const { program, without, run } = state;
    for (const smaller of program.smaller?.() ?? []) {
      const found = this.reducedTo(state, smaller);
      if (found !== null) return found;
    }
    for (let i = 0; i < program.options.actors.length; i++) {
      if (without.includes(i)) continue;
      const fewer = [...without, i].sort((a, b) => a - b);
      if (this.racy && this.failsAlways(program, fewer)) continue;
      const found = this.attempt(program, fewer, run);
      if (found !== null) return found;
    }
    return null;
  }

  private reducedTo({ program, without, run }: State, smaller: Shrinkable): State | null {
    const was = wasOf(smaller, program);
    const still = was.flatMap((old, i) => (without.includes(old) ? [i] : []));
    if (this.racy && this.failsAlways(smaller, still)) return null;
    const { schedule, choices } = run;
    const moved = renumbered(schedule, was, program.options.actors.length);
    return this.attempt(smaller, still, { schedule: moved, choices }) ?? this.seek(smaller, still);
  }

  /** A simpler schedule of the same program that still fails, or null. */
  private simplified({ program, without, run }: State): State | null {
    for (const schedule of simpler(run)) {
      const found = this.attempt(program, without, schedule);
      if (found !== null && isSimpler(found.run, run)) return found;
    }
    return null;
  }

  private run(program: Shrinkable, without: readonly number[], schedule: Schedule): Replayed {
    this.replays++;
    attach(program.options.machine);
    return replay(leaveOut(program.options, without), schedule, true);
  }

  private attempt(
    program: Shrinkable,
    without: readonly number[],
    schedule: Schedule,
  ): State | null {
    if (this.replays > FIRST_REPLAYS && performance.now() > this.deadline) return null;
    const run = this.run(program, without, schedule);
    return isSame(run.complaint, this.finding) ? { program, without, run } : null;
  }

  private failsAlways(program: Shrinkable, without: readonly number[]): boolean {
    return isSame(this.run(program, without, oneByOne).complaint, this.finding);
  }

  /** Seeks a schedule under which the program fails; each program once. */
  private seek(program: Shrinkable, without: readonly number[]): State | null {
    const options = leaveOut(program.options, without);
    const key = JSON.stringify(options.subject);
    if (this.searchSteps === 0 || this.sought.has(key)) return null;
    this.sought.add(key);
    attach(options.machine);
    for (const strategy of ['pct', 'random'] as const) {
      const found = this.seekBy({ ...options, strategy, seed: 1 });
      if (found !== null) return this.attempt(program, without, found);
    }
    return null;
  }

  private seekBy(options: CheckOptions): Schedule | null {
    const fibers = fibersFor(options, strategyFor(options));
    let found: Schedule | null = null;
    for (let steps = 0; found === null && steps < this.searchSteps; steps += fibers.steps) {
      if (fibers.run() === RUNNING) break;
      this.replays++;
      if (!isSame(complaintAtEnd(fibers, options), this.finding)) continue;
      const schedule = [...fibers.schedule.subarray(0, fibers.steps)];
      found = { schedule, choices: [...fibers.choices] };
    }
    fibers.rewind();
    return found;
  }
}

function wasOf({ was, options }: Shrinkable, larger: Shrinkable): readonly number[] {
  const names = larger.options.actors.map(({ name }) => name);
  return was ?? options.actors.map(({ name }) => names.indexOf(name));
}

/** A schedule for a program whose actors are others. @param count - of actors before. */
function renumbered(schedule: readonly number[], was: readonly number[], count: number): number[] {
  return schedule.flatMap((process) => {
    const now = was.indexOf(process % count);
    if (now < 0) return [];
    return [process < count ? now : was.length + now];
  });
}

function isSame(complaint: Complaint | null, finding: Complaint): boolean {
  return (
    complaint !== null &&
    complaint.invariant === finding.invariant &&
    complaint.words.join() === finding.words.join()
  );
}
