/**
 * Replays a schedule and writes down everything that a person may want to know of it: every
 * operation with the value before and after, where in the source it stands, who could have gone
 * instead, what the kernel's tracepoints told, and why another actor went on.
 */
import type { CheckOptions } from '../explore/check.ts';
import { complaintAtEnd, fiberProgram } from '../explore/check.ts';
import type { Complaint } from '../explore/finding.ts';
import { DEADLOCK, Fibers } from '../explore/fibers.ts';
import { INSERTS, LOCAL } from '../explore/model.ts';
import type { Schedule } from '../explore/replay.ts';
import { Replay } from '../explore/strategies/replay.ts';
import type { Strategy } from '../explore/strategy.ts';
import { mem } from '../shared/memory.ts';
import type { Observer } from '../shared/observer.ts';
import type { Locate, Place } from './places.ts';

/** One operation, or one flush of a buffered store. */
export interface NarratedStep {
  /** Index of the actor that performed it, or that stored what is flushed. */
  readonly actor: number;
  /** Of a flush: index of the step that put the store into the buffer; else -1. */
  readonly store: number;
  /** Kind of the operation, or of the flushed store (shared/kinds.ts). */
  readonly kind: number;
  /** What it did to memory (explore/model.ts): LOCAL, INSERTS, READS_OWN, READS or WRITES. */
  readonly effect: number;
  /** 0 if it has none. */
  readonly word: number;
  /** Of an access through a translation: the word that guards it; else 0. */
  readonly guard: number;
  /** Operands, as shared/kinds.ts tells them; zeros for a flush. */
  readonly operands: readonly [number, number, number];
  /** The word in memory before and after; what was seen, for a read of a buffered store. */
  readonly before: number;
  readonly after: number;
  readonly result: number;
  /** The innermost frame first; those of the store for a flush. The same array for one place. */
  readonly places: readonly Place[];
  /** Processes that could go: actors by index, then buffers. The same array if nothing changed. */
  readonly enabled: readonly number[];
}

/** Why the next step is somebody else's; interrupted: by its own processor's interrupt. */
export type SwitchReason = 'preempted' | 'waits' | 'interrupted' | 'finished';

export interface Switch {
  /** Index of the first step behind it. */
  readonly before: number;
  readonly from: number;
  readonly to: number;
  readonly reason: SwitchReason;
  /** The step with which `from` goes on, or -1 if it does not. */
  readonly resumes: number;
}

/** What a tracepoint or an assertion told; it belongs to the operation before it. */
export interface NarratedNote {
  readonly step: number;
  readonly kind: 'trace' | 'bug';
  /** Number of the tracepoint or of the assertion. */
  readonly id: number;
  readonly arguments: readonly [number, number, number];
}

/** An actor that could not go on at the end. */
export interface NarratedWait {
  readonly actor: number;
  readonly kind: number;
  readonly word: number;
  readonly operands: readonly [number, number, number];
  readonly places: readonly Place[];
}

export interface Narration {
  readonly steps: readonly NarratedStep[];
  readonly switches: readonly Switch[];
  readonly notes: readonly NarratedNote[];
  /** Who waited for what when nobody could go on; empty unless it ended so. */
  readonly waits: readonly NarratedWait[];
  readonly complaint: Complaint | null;
  readonly preemptions: number;
  /** The words as every execution finds them, … */
  readonly initial: Int32Array;
  /** … and as this one left them. */
  readonly final: Int32Array;
}

/** Frames that are kept: the nesting of a hypercall within a system call. */
const STACK_FRAMES = 40;
const NOWHERE: readonly Place[] = [];

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
  readonly switches: { -readonly [K in keyof Switch]: Switch[K] }[] = [];
  readonly notes: NarratedNote[] = [];
  readonly inner: Replay;
  initial = new Int32Array();
  private readonly locate: Locate;
  private readonly known = new Map<string, readonly Place[]>();
  /** By actor: its last step; -1 before the first. */
  private readonly lastStep: number[] = [];
  /** By buffer and ordinal: the step that stored. */
  private readonly stores = new Map<string, number>();
  /** By actor: the switch that left it last. */
  private readonly away: number[] = [];
  private enabled: readonly number[] = [];
  private last = -1;

  constructor({ schedule, choices }: Schedule, locate: Locate) {
    this.inner = new Replay(schedule, choices, false);
    this.locate = locate;
  }

  start(): boolean {
    this.initial = mem.slice();
    return this.inner.start();
  }

  /** An observer that notes and tells another one. */
  listening(inner: Observer): Observer {
    const note = (actor: number, kind: 'trace' | 'bug', id: number, args: number[]): void => {
      const [a = 0, b = 0, c = 0] = args;
      this.notes.push({ step: this.lastStep[actor] ?? 0, kind, id, arguments: [a, b, c] });
    };
    return {
      access: (actor, kind, word, before, after) => inner.access(actor, kind, word, before, after),
      trace(actor, point, a, b, c) {
        note(actor, 'trace', point, [a, b, c]);
        inner.trace(actor, point, a, b, c);
      },
      bug(actor, id, a, b) {
        note(actor, 'bug', id, [a, b]);
        inner.bug(actor, id, a, b);
      },
    };
  }

  pick(fibers: Fibers): number {
    const { last } = this;
    const couldGoOn = last >= 0 && !fibers.isDone(last) && fibers.isEnabled(last);
    this.see(fibers);
    const process = this.inner.pick(fibers);
    if (process < 0 || process >= fibers.count) return process;
    if (last >= 0 && process !== last) {
      const reason = couldGoOn ? 'preempted' : reasonOf(fibers, last);
      this.switches.push({
        before: this.steps.length,
        from: last,
        to: process,
        reason,
        resumes: -1,
      });
      this.away[last] = this.switches.length - 1;
    }
    this.last = process;
    return process;
  }

  /** Notes who can go. */
  private see(fibers: Fibers): void {
    const count = fibers.listEnabled();
    const { enabled } = this;
    let same = enabled.length === count;
    for (let i = 0; same && i < count; i++) same = enabled[i] === fibers.enabled[i];
    if (!same) this.enabled = [...fibers.enabled.subarray(0, count)];
  }

  choose(fibers: Fibers, count: number): number {
    return this.inner.choose(fibers, count);
  }

  performed(fibers: Fibers, process: number): void {
    if (process < fibers.count) this.operation(fibers, process);
    else this.flush(fibers, process - fibers.count);
  }

  private operation(fibers: Fibers, actor: number): void {
    const { model, pending } = fibers;
    const touches = model.effect !== LOCAL && model.effect !== INSERTS;
    const i = this.steps.length;
    this.lastStep[actor] = i;
    const left = this.switches[this.away[actor] ?? -1];
    if (left?.resumes === -1) left.resumes = i;
    if (model.effect === INSERTS) {
      this.stores.set(`${fibers.processors.cpu[actor]} ${model.ordinal}`, i);
    }
    this.steps.push({
      actor,
      store: -1,
      kind: pending.kind[actor] as number,
      effect: model.effect,
      word: pending.word[actor] as number,
      guard: model.guard > 0 ? model.guard : 0,
      operands: operandsOf(fibers, actor),
      before: touches ? model.before : 0,
      after: touches ? model.after : 0,
      result: fibers.result,
      places: this.placesOf(fibers, actor),
      enabled: this.enabled,
    });
  }

  private flush({ model }: Fibers, buffer: number): void {
    const key = `${buffer} ${model.ordinal}`;
    const store = this.stores.get(key) as number;
    const { actor, places } = this.steps[store] as NarratedStep;
    this.stores.delete(key);
    this.steps.push({
      actor,
      store,
      kind: model.flushedKind,
      effect: model.effect,
      word: model.touched,
      guard: 0,
      operands: [0, 0, 0],
      before: model.before,
      after: model.after,
      result: model.after,
      places,
      enabled: this.enabled,
    });
  }

  placesOf(fibers: Fibers, actor: number): readonly Place[] {
    const stack = (fibers as NarratingFibers).stacks[actor];
    if (stack === undefined) return NOWHERE;
    const known = this.known.get(stack);
    if (known !== undefined) return known;
    const places = this.locate(stack);
    this.known.set(stack, places);
    return places;
  }

  end(): boolean {
    return this.inner.end();
  }
}

/** Why an actor that cannot go on stopped. */
function reasonOf(fibers: Fibers, actor: number): SwitchReason {
  if (fibers.isDone(actor)) return 'finished';
  const above = fibers.processors.above[actor] ?? [];
  return above.some((other) => !fibers.isIdle(other)) ? 'interrupted' : 'waits';
}

function operandsOf({ pending: { a, b, c } }: Fibers, actor: number): [number, number, number] {
  return [a[actor] as number, b[actor] as number, c[actor] as number];
}

/** The actors that wait, if nobody can go on. */
function waitsOf(fibers: Fibers, narrator: Narrator): NarratedWait[] {
  if (fibers.outcome !== DEADLOCK) return [];
  return fibers.program.actors.flatMap(({ daemon }, actor) => {
    if (daemon === true || fibers.isDone(actor)) return [];
    const { kind, word } = fibers.pending;
    return {
      actor,
      kind: kind[actor] as number,
      word: word[actor] as number,
      operands: operandsOf(fibers, actor),
      places: narrator.placesOf(fibers, actor),
    };
  });
}

/**
 * Replays and writes down.
 * @param options - the attached program. @param schedule - of a seed of this program.
 * @param locate - finds the lines of source in a stack (places.ts).
 * @throws DivergedError if the schedule does not fit the program.
 */
export function narrate(options: CheckOptions, schedule: Schedule, locate: Locate): Narration {
  const narrator = new Narrator(schedule, locate);
  const { observer } = options;
  const heard =
    observer === undefined ? options : { ...options, observer: narrator.listening(observer) };
  const fibers = new NarratingFibers(fiberProgram(heard), narrator);
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  try {
    fibers.run();
    const complaint = complaintAtEnd(fibers, options);
    const { steps, switches, notes, inner, initial } = narrator;
    const waits = waitsOf(fibers, narrator);
    const { preemptions } = inner;
    const final = mem.slice();
    return { steps, switches, notes, waits, complaint, preemptions, initial, final };
  } finally {
    Error.stackTraceLimit = limit;
    fibers.rewind();
  }
}
