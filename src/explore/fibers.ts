/**
 * Fibers: actors as generators under one scheduler, in one thread. The engine asks the strategy
 * inside the operation, so a fiber suspends only if another one was chosen.
 */
import type { Engine } from '../shared/engine.ts';
import { AWAIT_EQUAL, AWAIT_NOT_EQUAL, CHOOSE, LOST } from '../shared/kinds.ts';
import { localAccesses, restore, snapshot } from '../shared/memory.ts';
import type { Observer } from '../shared/observer.ts';
import { installEngine } from '../shared/operations.ts';
import type { Actor, Processors } from './actor.ts';
import { processorsOf } from './actor.ts';
import { grown } from './columns.ts';
import type { Complaint } from './finding.ts';
import type { MemoryModel, Pending } from './model.ts';
import { INSERTS, READS } from './model.ts';
import { SequentialConsistency } from './models/sc.ts';
import { TotalStoreOrder } from './models/tso.ts';
import type { Strategy } from './strategy.ts';
import { StrategyError } from './strategy.ts';

/** Names of memory models. */
export type MemoryName = 'sc' | 'tso';

/** What fibers need to know of a program. */
export interface FiberProgram {
  readonly actors: readonly Actor[];
  readonly memory: MemoryName;
  readonly observer: Observer | null;
  readonly watchedFrom: number;
  /** Steps after which an execution counts as a livelock. */
  readonly maxSteps: number;
  readonly setup: (() => void) | null;
  /** Asked after every step; a complaint ends the execution. */
  readonly invariant: (() => Complaint | null) | null;
}

/** How an execution ended. */
export const RUNNING = 0;
export const COMPLETE = 1;
export const DEADLOCK = 2;
export const LIVELOCK = 3;
/** An assumption did not hold: the execution does not count. */
export const DISCARDED = 4;
/** A complaint ended it. */
export const BROKEN = 5;
/** The strategy saw that it leads nowhere new. */
export const REDUNDANT = 6;
/** Only daemons were left, and they would go on for ever. */
export const TRUNCATED = 7;

const NORMAL = 0;
const STARTING = 1;
const FEEDING = 2;

const DONE = 0;
const READY = 1;
const WAITS = 2;

export class Fibers implements Engine {
  readonly program: FiberProgram;
  readonly count: number;
  /** Actors and buffers. */
  readonly processes: number;
  readonly processors: Processors;
  readonly pending: Pending;
  readonly model: MemoryModel;
  readonly observer: Observer;
  readonly saved: Int32Array;
  strategy: Strategy;
  /** The actor that runs, or whose operation was performed last. */
  actor = 0;
  /** Operations and flushes performed in this execution. */
  steps = 0;
  /** Result of the operation that was performed last. */
  result = 0;
  outcome = RUNNING;
  complaint: Complaint | null = null;
  /** The processes in the order in which they went, and the choices of data in their order. */
  schedule = new Int32Array(1024);
  choices: number[] = [];
  /** Processes that are enabled, after `listEnabled`. */
  readonly enabled: Int32Array;
  private readonly status: Uint8Array;
  private readonly fibers: Generator[] = [];
  private next = -1;
  private mode = NORMAL;
  /** By step of this execution: its result, and whether it was a choice of data. */
  private results = new Int32Array(1024);
  private isChoice = new Uint8Array(1024);
  /** Feeding: the step up to which results have been handed out. */
  private fed = 0;
  private readonly stale: Uint8Array;
  private readonly localBefore = localAccesses;
  private workers = 0;

  constructor(program: FiberProgram, strategy: Strategy) {
    const { actors } = program;
    const count = actors.length;
    this.program = program;
    this.strategy = strategy;
    this.count = count;
    this.processors = processorsOf(actors);
    const column = (): Int32Array => new Int32Array(count);
    const { cpu, interrupt } = this.processors;
    this.pending = {
      kind: column(),
      word: column(),
      a: column(),
      b: column(),
      c: column(),
      cpu,
      interrupt,
    };
    this.model =
      program.memory === 'tso'
        ? new TotalStoreOrder(this.pending, count)
        : new SequentialConsistency(this.pending);
    this.processes = count + this.model.buffers;
    this.enabled = new Int32Array(this.processes);
    this.status = new Uint8Array(count);
    this.stale = new Uint8Array(this.processes);
    this.saved = snapshot();
    this.observer = this.watch(program.observer);
  }

  private watch(inner: Observer | null): Observer {
    return {
      access: (actor, kind, word, before, after) => inner?.access(actor, kind, word, before, after),
      trace: (actor, point, a, b, c) => {
        if (inner === null) return;
        inner.trace(actor, point, a, b, c);
        this.askInvariant();
      },
      bug: (actor, id, a, b) => {
        inner?.bug(actor, id, a, b);
        // An observer that knows the assertion says it better.
        this.askInvariant();
        this.complain({
          invariant: `bug ${id}`,
          message: `assertion ${id} failed (${a}, ${b}) in ${this.program.actors[actor].name}`,
          words: [],
        });
      },
    };
  }

  private askInvariant(): void {
    const complaint = this.program.invariant?.() ?? null;
    if (complaint !== null) this.complain(complaint);
  }

  /** Something that must hold does not: ends the execution after this step. */
  complain(complaint: Complaint): void {
    this.complaint ??= complaint;
  }

  /** Runs one execution under the strategy. @returns its outcome; RUNNING if nothing is left. */
  run(): number {
    const last = this.steps;
    const kept = this.canResume() ? (this.strategy.keep?.(this) ?? -1) : -1;
    if (kept < 0) this.reset();
    this.outcome = RUNNING;
    this.complaint = null;
    if (!this.strategy.start(this)) return RUNNING;
    const outer = installEngine(this);
    try {
      if (kept < 0) this.launch();
      else this.resume(kept, last);
      this.drive();
    } catch (error) {
      if (error instanceof StrategyError) throw error;
      this.complain({ invariant: 'exception', message: describe(error), words: [] });
      this.outcome = BROKEN;
    } finally {
      installEngine(outer);
    }
    if (this.strategy.end(this) && this.outcome !== BROKEN) this.outcome = REDUNDANT;
    return this.outcome;
  }

  private reset(): void {
    this.rewind();
    this.model.reset();
    this.steps = 0;
    if (this.choices.length > 0) this.choices.length = 0;
    this.program.setup?.();
  }

  /** Can an execution go on from the middle of the last one? Only if all state is in view. */
  private canResume(): boolean {
    const { setup, observer, memory } = this.program;
    const inView = setup === null && observer === null && memory === 'sc';
    return inView && this.localBefore === localAccesses;
  }

  /**
   * Goes on from step `kept` of the last execution, which had `last` steps. Actors that took no
   * step since then stand where they stood; the others run again from their start, alone and
   * without a switch, on the results that they got.
   */
  private resume(kept: number, last: number): void {
    const { actors } = this.program;
    this.stale.fill(0);
    for (let i = kept; i < last; i++) this.stale[this.schedule[i]] = 1;
    this.mode = FEEDING;
    this.steps = kept;
    let chosen = 0;
    for (let actor = 0; actor < this.count; actor++) {
      if (this.stale[actor] === 0) continue;
      this.actor = actor;
      this.fed = 0;
      if (this.status[actor] === DONE && actors[actor].daemon !== true) this.workers++;
      const fiber = actors[actor].body();
      this.fibers[actor] = fiber;
      if (fiber.next().done === true) this.finish(actor);
    }
    this.mode = NORMAL;
    if (this.choices.length === 0) return;
    for (let i = 0; i < kept; i++) chosen += this.isChoice[i];
    this.choices.length = chosen;
  }

  /** Puts the words back to the start of an execution. */
  rewind(): void {
    restore(this.saved);
  }

  private launch(): void {
    const { actors } = this.program;
    this.mode = STARTING;
    this.workers = 0;
    for (let i = 0; i < this.count; i++) {
      this.actor = i;
      if (actors[i].daemon !== true) this.workers++;
      const fiber = actors[i].body();
      this.fibers[i] = fiber;
      if (fiber.next().done === true) this.finish(i);
    }
    this.mode = NORMAL;
  }

  private drive(): void {
    let next = this.schedules();
    while (next >= 0) {
      this.actor = next;
      const step = this.fibers[next].next();
      if (step.done === true) {
        this.finish(next);
        next = this.schedules();
      } else {
        next = this.next;
      }
    }
  }

  private finish(actor: number): void {
    this.status[actor] = DONE;
    if (this.program.actors[actor].daemon !== true) this.workers--;
  }

  begin(kind: number, word: number, a: number, b: number, c: number): boolean {
    const { actor, pending } = this;
    if (this.mode === FEEDING && this.hasFeed(actor)) return false;
    pending.kind[actor] = kind;
    pending.word[actor] = word;
    pending.a[actor] = a;
    pending.b[actor] = b;
    pending.c[actor] = c;
    const waits = this.processors.any || this.model.waits(kind);
    this.status[actor] = waits ? WAITS : READY;
    if (this.mode !== NORMAL) return true;
    this.next = this.schedules();
    return this.next !== actor;
  }

  private hasFeed(actor: number): boolean {
    while (this.fed < this.steps && this.schedule[this.fed] !== actor) this.fed++;
    return this.fed < this.steps;
  }

  perform(): number {
    if (this.mode === FEEDING) return this.results[this.fed++];
    const { actor, model } = this;
    let result = model.perform(actor);
    const kind = this.pending.kind[actor];
    if (kind === CHOOSE) {
      result = this.strategy.choose(this, this.pending.a[actor]);
      this.choices.push(result);
    }
    this.isChoice[this.steps - 1] = kind === CHOOSE ? 1 : 0;
    this.result = result;
    this.results[this.steps - 1] = result;
    this.after(actor, actor, kind, result !== LOST);
    return result;
  }

  private after(process: number, actor: number, kind: number, retired: boolean): void {
    const { model, program } = this;
    const watched = retired && model.effect > INSERTS && model.touched >= program.watchedFrom;
    if (watched) this.observer.access(actor, kind, model.touched, model.before, model.after);
    this.strategy.performed(this, process);
    if (watched || model.effect > READS) this.askInvariant();
  }

  /** Lets the strategy decide; performs flushes at once. @returns the next actor, -1 at the end. */
  private schedules(): number {
    for (;;) {
      if (this.complaint !== null) return this.stop(BROKEN);
      if (this.steps >= this.program.maxSteps) {
        return this.stop(this.workers > 0 ? LIVELOCK : TRUNCATED);
      }
      const process = this.strategy.pick(this);
      if (process < 0) return this.stop(this.verdictAtRest());
      if (this.steps === this.schedule.length) this.grow();
      this.schedule[this.steps++] = process;
      if (process < this.count) return process;
      const actor = this.model.flush(process - this.count);
      this.after(process, actor, this.model.flushedKind, true);
    }
  }

  private grow(): void {
    this.schedule = grown(this.schedule);
    this.results = grown(this.results);
    const isChoice = new Uint8Array(this.schedule.length);
    isChoice.set(this.isChoice);
    this.isChoice = isChoice;
  }

  private stop(outcome: number): number {
    this.outcome = outcome;
    return -1;
  }

  private verdictAtRest(): number {
    const { kind, a, b } = this.pending;
    let verdict = COMPLETE;
    for (let i = 0; i < this.count; i++) {
      if (this.status[i] === DONE || this.program.actors[i].daemon === true) continue;
      if (kind[i] === AWAIT_EQUAL && a[i] === 0 && b[i] !== 0) return DISCARDED;
      verdict = DEADLOCK;
    }
    return verdict;
  }

  /** Can this process go now? */
  isEnabled(process: number): boolean {
    if (process >= this.count) return this.model.canFlush(process - this.count);
    const status = this.status[process];
    if (status !== WAITS) return status === READY;
    if (!this.model.enabled(process)) return false;
    if (!this.processors.any) return true;
    return this.processors.above[process].every((other) => this.isIdle(other));
  }

  /** Fills `enabled`. @returns how many processes can go now, in order of their numbers. */
  listEnabled(): number {
    let found = 0;
    for (let i = 0; i < this.processes; i++) if (this.isEnabled(i)) this.enabled[found++] = i;
    return found;
  }

  /** Has the actor ended? */
  isDone(actor: number): boolean {
    return this.status[actor] === DONE;
  }

  /** Does the interrupt wait for its next delivery? */
  isIdle(actor: number): boolean {
    if (this.status[actor] === DONE) return true;
    const kind = this.pending.kind[actor];
    const awaits = kind === AWAIT_EQUAL || kind === AWAIT_NOT_EQUAL;
    return awaits && this.pending.word[actor] === this.processors.idleWord[actor];
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
