/**
 * The worker threads of a run, one for each actor, and the ways to steer them. What a thread is
 * doing is read from the machine's words, so it can be asked of a thread that answers nothing.
 */
import { Worker } from 'node:worker_threads';
import type { Machine } from '../shared/layout.ts';
import { wordName } from '../shared/layout.ts';
import { COUNTER_COUNT } from '../shared/processor.ts';
import type { ActorSetup } from './actor.ts';
import type { Answer, Inspection, Remote, ActorService } from './comlink.ts';
import { callsOf } from './comlink.ts';
import { Control, ENDED, PAUSE, STATE_NAMES, STOP, ask, release, stateOf } from './control.ts';
import type { ActorPlan } from './world.ts';

/** The root of the package, from a source file or from its compiled form in an edition. */
const packageRoot = new URL(
  import.meta.url.includes('/dist/') ? '../../../../' : '../../',
  import.meta.url,
);

/** The file of an edition. @param path - from the edition's root. */
export function editionFile(edition: 'fibers' | 'threads' | 'lockstep', path: string): URL {
  return new URL(`dist/${edition}/${path}`, packageRoot);
}

/** How long a thread gets to open the machine. */
const START_MS = 30_000;

/** What can be seen of an actor from outside, at any time. */
export interface ActorView {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly iterations: number;
  readonly operations: number;
  /** Name of the word that it sleeps for, empty if it does not. */
  readonly waitsFor: string;
}

/** One actor's thread as its starter sees it. */
export class Member {
  readonly index: number;
  readonly plan: ActorPlan;
  readonly worker: Worker;
  private readonly machine: Machine;
  private readonly remote: Remote<ActorService>;
  private readonly counters: Float64Array;
  /** Set when the thread is gone. */
  exited = false;
  /** The error that ended the thread, if it was one. */
  error = '';

  constructor(machine: Machine, plan: ActorPlan, setup: ActorSetup) {
    this.machine = machine;
    this.plan = plan;
    this.index = setup.index;
    this.counters = new Float64Array(
      setup.counters,
      setup.index * COUNTER_COUNT * Float64Array.BYTES_PER_ELEMENT,
      COUNTER_COUNT,
    );
    this.worker = new Worker(editionFile('threads', `workers/${plan.role}.worker.js`), {
      workerData: setup,
      name: plan.name,
    });
    this.worker.on('error', (error) => {
      this.error = error.stack ?? String(error);
    });
    this.worker.on('exit', () => {
      this.exited = true;
    });
    this.remote = callsOf(this.worker);
  }

  /** Resolves when the thread has opened the machine, or could not. */
  async ready(): Promise<Answer<unknown>> {
    const gone = new Promise<Answer<null>>((resolve) => {
      this.worker.once('exit', () => {
        resolve({ ok: false, message: `${this.plan.name} died at its start: ${this.error}` });
      });
    });
    return Promise.race([this.remote.inspect(), gone, late(this.plan.name)]);
  }

  /** Sets the actor going. Only once all are ready: a broken machine must not meet newcomers. */
  start(): Promise<Answer<null>> {
    return this.remote.start();
  }

  /** Stops the actor before its next operation. */
  pause(): void {
    ask(this.machine, this.index, PAUSE);
  }

  resume(): void {
    release(this.machine, this.index, PAUSE);
  }

  /** Asks the thread itself; it answers between two slices, never while it is held. */
  inspect(): Promise<Answer<Inspection>> {
    return this.remote.inspect();
  }

  view(): ActorView {
    const { words } = this.machine;
    const waits = words[Control.waits.at(this.index)] as number;
    return {
      name: this.plan.name,
      role: this.plan.role,
      state: this.exited ? 'gone' : (STATE_NAMES[this.state()] ?? '?'),
      iterations: words[Control.iterations.at(this.index)] as number,
      operations: this.operations(),
      waitsFor: waits === 0 ? '' : wordName(this.machine, waits),
    };
  }

  state(): number {
    return stateOf(this.machine, this.index);
  }

  /** The word it sleeps for, 0 if it does not sleep. */
  waits(): number {
    return Atomics.load(this.machine.words, Control.waits.at(this.index));
  }

  /** Operations performed so far: the heartbeat. */
  operations(): number {
    let sum = 0;
    for (let kind = 0; kind < COUNTER_COUNT - 1; kind++) sum += this.counters[kind] as number;
    return sum;
  }

  /** Ends the thread wherever it is. */
  async kill(): Promise<void> {
    await this.worker.terminate();
  }

  /** Asks the actor to leave its program. */
  stop(): void {
    ask(this.machine, this.index, STOP);
    Atomics.notify(this.machine.words, Control.request.at(this.index));
  }

  /** Why the program ended by itself; empty if it did not. Only for a thread that has ended. */
  async failure(): Promise<string> {
    if (this.exited || this.state() !== ENDED) return this.error;
    const answer = await this.remote.failure();
    return answer.ok ? answer.value : answer.message;
  }
}

function late(name: string): Promise<Answer<null>> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ ok: false, message: `${name} did not start within ${START_MS / 1000} s` });
    }, START_MS);
    timer.unref();
  });
}
