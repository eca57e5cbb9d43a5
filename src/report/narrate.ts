/**
 * Replays a schedule and writes down everything that a person may want to know of it: every
 * operation with the value before and after, where in the source it stands, and why another actor
 * went on.
 */
import type { CheckOptions } from '../explore/check.ts';
import { complaintAtEnd, fiberProgram } from '../explore/check.ts';
import type { Complaint } from '../explore/finding.ts';
import { Fibers } from '../explore/fibers.ts';
import { INSERTS, LOCAL, WRITES } from '../explore/model.ts';
import type { Schedule } from '../explore/replay.ts';
import { Replay } from '../explore/strategies/replay.ts';
import type { Strategy } from '../explore/strategy.ts';
import { wordName } from '../shared/layout.ts';
import type { Place } from './places.ts';
import { placesOf } from './places.ts';

/** One operation, or one flush of a buffered store. */
export interface NarratedStep {
  /** Index of the actor that performed it, or that stored what is flushed. */
  readonly actor: number;
  readonly flush: boolean;
  /** Kind of the operation (shared/kinds.ts). */
  readonly kind: number;
  /** 0 if it has none. */
  readonly word: number;
  readonly name: string;
  /** The word in memory before and after; equal while a store waits in its buffer. */
  readonly before: number;
  readonly after: number;
  readonly result: number;
  readonly writes: boolean;
  /** The innermost frame first; empty for a flush. */
  readonly places: readonly Place[];
}

/** Why the next step is somebody else's. */
export type SwitchReason = 'preempted' | 'waits' | 'finished';

export interface Switch {
  /** Index of the first step behind it. */
  readonly before: number;
  readonly from: number;
  readonly to: number;
  readonly reason: SwitchReason;
}

export interface Narration {
  readonly steps: readonly NarratedStep[];
  readonly switches: readonly Switch[];
  readonly complaint: Complaint | null;
  readonly preemptions: number;
}

/** Frames that are kept: the nesting of a hypercall within a system call. */
const STACK_FRAMES = 40;

class NarratingFibers extends Fibers {
  readonly stacks: string[] = [];

  override begin(kind: number, word: number, a: number, b: number, c: number): boolean {
    this.stacks[this.actor] = new Error('here').stack ?? '';
    return super.begin(kind, word, a, b, c);
  }
}

class Narrator implements Strategy {
  readonly name = 'replay';
  readonly exhaustive = false;
  readonly steps: NarratedStep[] = [];
  readonly switches: Switch[] = [];
  readonly inner: Replay;
  private readonly options: CheckOptions;
  private last = -1;

  constructor(options: CheckOptions, { schedule, choices }: Schedule) {
    this.options = options;
    this.inner = new Replay(schedule, choices, false);
  }

  start(): boolean {
    return this.inner.start();
  }

  pick(fibers: Fibers): number {
    const { last } = this;
    const couldGoOn = last >= 0 && !fibers.isDone(last) && fibers.isEnabled(last);
    const process = this.inner.pick(fibers);
    if (process < 0 || process >= fibers.count) return process;
    if (last >= 0 && process !== last) {
      const reason = fibers.isDone(last) ? 'finished' : couldGoOn ? 'preempted' : 'waits';
      this.switches.push({ before: this.steps.length, from: last, to: process, reason });
    }
    this.last = process;
    return process;
  }

  choose(fibers: Fibers, count: number): number {
    return this.inner.choose(fibers, count);
  }

  performed(fibers: Fibers, process: number): void {
    const { model, pending } = fibers;
    const flush = process >= fibers.count;
    const touches = model.effect !== LOCAL && model.effect !== INSERTS;
    const actor = flush ? process - fibers.count : process;
    const kind = flush ? model.flushedKind : (pending.kind[process] as number);
    const word = flush ? model.touched : (pending.word[process] as number);
    this.steps.push({
      actor,
      flush,
      kind,
      word,
      name: word === 0 ? '' : wordName(this.options.machine, word),
      before: touches ? model.before : 0,
      after: touches ? model.after : 0,
      result: flush ? model.after : fibers.result,
      writes: model.effect === WRITES && model.before !== model.after,
      places: flush ? [] : placesOf((fibers as NarratingFibers).stacks[process] ?? ''),
    });
  }

  end(): boolean {
    return this.inner.end();
  }
}

/**
 * Replays and writes down.
 * @param options - the attached program. @param schedule - of a seed of this program.
 * @throws DivergedError if the schedule does not fit the program.
 */
export function narrate(options: CheckOptions, schedule: Schedule): Narration {
  const narrator = new Narrator(options, schedule);
  const fibers = new NarratingFibers(fiberProgram(options), narrator);
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  try {
    fibers.run();
    const complaint = complaintAtEnd(fibers, options);
    const { steps, switches, inner } = narrator;
    return { steps, switches, complaint, preemptions: inner.preemptions };
  } finally {
    Error.stackTraceLimit = limit;
    fibers.rewind();
  }
}
