/**
 * What the harness runs: a machine, its actors and what must hold of it. The harness knows only
 * this interface, so a lock-free queue runs on threads as well as a Xen machine does. A module
 * with a world exports `createWorld`; the main thread loads it from the fibers edition (boot and
 * invariants) and every actor's thread from the threads edition (the program).
 */
import type { Machine } from '../shared/layout.ts';
import type { Observer } from '../shared/observer.ts';
import type { Op } from '../shared/op.ts';
import type { InterruptLines } from '../shared/processor.ts';
import type { AnyTable, Config } from '../shared/table.ts';

/** What kind of thread an actor gets. */
export type Role = 'vcpu' | 'domain' | 'device';

/** An actor as its starter sees it. */
export interface ActorPlan {
  /** Printed name: d1v0, disk0. */
  readonly name: string;
  readonly role: Role;
  /**
   * How an actor comes to rest, lowest number first: those who ask for work (0) before those who
   * do it. An actor above 0 also rests when it waits for work, inside an iteration.
   */
  readonly restsAs: number;
}

/** An actor as its own thread sees it. */
export interface ActorProgram {
  /** One iteration; it runs again and again. Between two, the actor holds nothing. */
  iterate(): Op<void>;
  readonly observer: Observer;
}

/**
 * Takes what was found.
 * @param actor - index of the actor, -1 at a checkpoint.
 * @param violation - number that the world's `explain` knows.
 * @param wordA - a word that shows it, 0 for none.
 * @param wordB - another.
 */
export type Report = (actor: number, violation: number, wordA: number, wordB: number) => void;

/** What a violation is called and what it means for its victims. */
export interface Explanation {
  readonly invariant: string;
  readonly what: string;
  readonly meaning: string;
}

export interface World {
  readonly tables: readonly AnyTable[];
  readonly config: Config;
  /** Fills a new machine; on the main thread. */
  boot(machine: Machine): void;
  actors(): readonly ActorPlan[];
  /** The interrupts of an actor; in every thread, for a sleeper's are handled by others. */
  lines(machine: Machine, actor: number): InterruptLines;
  /** The program of an actor; in its own thread. Chance comes from the operation `choose`. */
  program(machine: Machine, actor: number, report: Report): ActorProgram;
  /** Invariants that hold at every operation boundary; on the main thread, all actors stopped. */
  checkStopped(machine: Machine, report: Report): void;
  /** Invariants that hold when all work is done; on the main thread, all actors at rest. */
  checkAtRest(machine: Machine, report: Report): void;
  /** Is no work pending? Asked when every actor seems to rest. */
  atRest(machine: Machine): boolean;
  explain(violation: number): Explanation;
}

/** Parameters of a world: plain data that threads pass on. */
export type WorldOptions = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What a module with a world exports as `createWorld`. */
export type CreateWorld = (options: WorldOptions) => World;
