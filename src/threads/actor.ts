/**
 * An actor in a worker thread of its own: opens the machine, becomes the actor, and runs its
 * program slice after slice. Between two slices the thread serves control calls; inside one it
 * looks only at its words (control.ts).
 *
 * The run ends an actor by an exception from `attention`, thrown out of an operation: simulated
 * code knows nothing of it.
 */
import type { Machine } from '../shared/layout.ts';
import { openMachine } from '../shared/layout.ts';
import { COUNTER_COUNT, becomeActor } from '../shared/processor.ts';
import type { ActorService } from './comlink.ts';
import { serve } from './comlink.ts';
import {
  BARRIER,
  Control,
  ENDED,
  HELD,
  IDLE,
  PAUSE,
  REST,
  RESTING,
  RUNNING,
  Run,
  STOP,
  Sleepers,
  runConfig,
  runTables,
} from './control.ts';
import { BoardWriter } from './findings.ts';
import { Prng, actorSeed } from './prng.ts';
import type { ActorProgram, CreateWorld, World, WorldOptions } from './world.ts';

/** How long a slice runs before control calls are served. */
const SLICE_MS = 50;

/** What an actor's thread is started with. */
export interface ActorSetup {
  /** Path of the world's module from the root of an edition, without extension. */
  readonly worldModule: string;
  readonly options: WorldOptions;
  readonly memory: WebAssembly.Memory;
  readonly actors: number;
  readonly index: number;
  readonly name: string;
  readonly seed: number;
  /** Counters of all actors, COUNTER_COUNT each. */
  readonly counters: SharedArrayBuffer;
  readonly board: SharedArrayBuffer;
}

/** Thrown out of an operation when the run is over. */
class Unwound extends Error {}

/** The actor of this thread. */
export class FreeActor implements ActorService {
  private readonly setup: ActorSetup;
  private readonly machine: Machine;
  private readonly counters: Float64Array;
  private readonly program: ActorProgram;
  private readonly requestWord: number;
  private readonly stateWord: number;
  private started = false;
  private failed = '';

  constructor(setup: ActorSetup, createWorld: CreateWorld) {
    this.setup = setup;
    const world = createWorld(setup.options);
    const config = runConfig(world, setup.actors);
    this.machine = openMachine(runTables(world), config, setup.memory);
    this.requestWord = Control.request.at(setup.index);
    this.stateWord = Control.state.at(setup.index);
    this.counters = new Float64Array(
      setup.counters,
      setup.index * COUNTER_COUNT * Float64Array.BYTES_PER_ELEMENT,
      COUNTER_COUNT,
    );
    const board = new BoardWriter(setup.board);
    const report = board.report.bind(board);
    this.program = world.program(this.machine, setup.index, report);
    this.becomeActor(world);
  }

  private becomeActor(world: World): void {
    const { program, setup } = this;
    const all = Array.from({ length: setup.actors }, (_, i) => i);
    const prng = new Prng(actorSeed(setup.seed, setup.index));
    becomeActor({
      index: setup.index,
      controlWord: this.requestWord,
      lines: all.map((i) => world.lines(this.machine, i)),
      sleepWords: all.map((i) => Control.asleep.at(i)),
      sleepersWord: Sleepers.value.word,
      waitsWord: Control.waits.at(setup.index),
      fenceWord: Control.fence.at(setup.index),
      zeroWord: Run.zero.word,
      counters: this.counters,
      observer: program.observer,
      watchedFrom: this.machine.watchedFrom,
      choose: (count) => prng.below(count),
      obey: () => this.obey(),
    });
  }

  start(): { ok: true; value: null } {
    if (!this.started) {
      this.started = true;
      setImmediate(() => this.slice());
    }
    return { ok: true, value: null };
  }

  inspect() {
    return {
      ok: true as const,
      value: {
        name: this.setup.name,
        iterations: this.machine.words[Control.iterations.at(this.setup.index)] as number,
        operations: this.counters.reduce((sum, count) => sum + count, 0),
        heapBytes: process.memoryUsage().heapUsed,
      },
    };
  }

  failure() {
    return { ok: true as const, value: this.failed };
  }

  /** Runs the program for a while, then lets the thread's event loop turn. */
  private slice(): void {
    try {
      this.enter(RUNNING);
      this.obey();
      const until = performance.now() + SLICE_MS;
      do {
        this.program.iterate();
        this.machine.words[Control.iterations.at(this.setup.index)]! += 1;
        this.rest();
      } while (performance.now() < until);
      this.enter(IDLE);
      setImmediate(() => this.slice());
    } catch (error) {
      if (!(error instanceof Unwound)) this.failed = String((error as Error).stack ?? error);
      this.enter(ENDED);
    }
  }

  /** Holds while held; leaves when stopped. */
  private obey(): void {
    this.hold(PAUSE | BARRIER, HELD);
  }

  /** Rests between two iterations while asked to. */
  private rest(): void {
    this.hold(PAUSE | BARRIER | REST, RESTING);
  }

  private hold(bits: number, state: number): void {
    const { words } = this.machine;
    for (;;) {
      const request = Atomics.load(words, this.requestWord);
      if ((request & STOP) !== 0) throw new Unwound();
      if ((request & bits) === 0) return;
      this.enter(state);
      Atomics.wait(words, this.requestWord, request);
      this.enter(RUNNING);
    }
  }

  private enter(state: number): void {
    Atomics.store(this.machine.words, this.stateWord, state);
  }
}

/** Makes this worker thread the actor that `setup` describes and serves its control calls. */
export async function runActor(setup: ActorSetup, editionRoot: URL): Promise<void> {
  const module = (await import(new URL(`${setup.worldModule}.js`, editionRoot).href)) as {
    createWorld: CreateWorld;
  };
  serve(new FreeActor(setup, module.createWorld));
}
