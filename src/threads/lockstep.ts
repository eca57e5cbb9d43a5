/**
 * Lockstep: a recorded schedule on real worker threads, one for each actor. Every operation waits
 * until the schedule names its actor, so the run must do what the fibers did, step by step.
 */
import { Worker } from 'node:worker_threads';
import type { Machine } from '../shared/layout.ts';
import {
  ACTORS,
  BUFFERED,
  CHOICES,
  END,
  END_COMPLETE,
  END_NOBODY,
  END_NOT_ENABLED,
  END_STOPPED,
  LENGTH,
  LOG_WORDS,
  POSITION,
  planBaton,
  stopRun,
} from '../shared/turn.ts';
import type { CastOptions } from './cast.ts';
import { editionFile } from './crew.ts';
import type { LeftRun, LockstepSetup } from './lockstep-actor.ts';

/** No step for so long: the run will not go on. */
const STUCK_MS = 5000;
/** Before the first step threads may still load their modules, on a busy host for long. */
const STARTING_MS = 60_000;

/** A schedule to follow: what a seed holds. */
export interface Recording {
  /** Process of every step: actors, then the flushes of their processors' store buffers. */
  readonly schedule: ArrayLike<number>;
  readonly choices: readonly number[];
  readonly memory: 'sc' | 'tso';
}

/** What happened on the threads. */
export interface LockstepRun {
  /** Steps performed. */
  readonly steps: number;
  /** Empty if the whole schedule could be followed. */
  readonly problem: string;
  /** Per step: process, kind, word, result. */
  readonly log: Int32Array;
}

const PROBLEMS: Readonly<Record<number, string>> = {
  [END_COMPLETE]: '',
  [END_NOT_ENABLED]: 'the schedule names an actor that cannot go on',
  [END_NOBODY]: 'the schedule names an actor that has ended, or has too few choices',
  [END_STOPPED]: 'no step is made any more',
};

/** The threads of one scenario; they stay for many schedules. */
export class LockstepCrew {
  private readonly machine: Machine;
  private readonly workers: readonly Worker[];
  private readonly initial: Int32Array;

  /** @param machine - with the words that every run starts from. */
  constructor(machine: Machine, castModule: string, options: CastOptions, actors: number) {
    this.machine = machine;
    this.initial = machine.words.slice();
    this.workers = Array.from({ length: actors }, (_, index) => {
      const { config, memory } = machine;
      const workerData: LockstepSetup = { castModule, options, config, memory, index };
      const worker = new Worker(editionFile('lockstep', 'workers/lockstep.worker.js'), {
        workerData,
      });
      worker.setMaxListeners(0);
      return worker;
    });
  }

  /** Follows a recording from the machine's initial words; leaves the words as they become. */
  async run(recording: Recording): Promise<LockstepRun> {
    const { schedule, choices } = recording;
    const plan = planBaton(this.workers.length, schedule.length, choices.length);
    const baton = new Int32Array(new SharedArrayBuffer(plan.words * 4));
    baton[LENGTH] = schedule.length;
    baton[CHOICES] = choices.length;
    baton[BUFFERED] = recording.memory === 'tso' ? 1 : 0;
    baton[ACTORS] = this.workers.length;
    baton.set(schedule, plan.schedule);
    baton.set(choices, plan.choices);
    this.machine.words.set(this.initial);
    const watch = watchSteps(baton);
    const left = this.workers.map((worker) => leaving(worker, baton));
    for (const worker of this.workers) worker.postMessage(baton.buffer);
    const errors = (await Promise.all(left)).filter((error) => error !== '');
    clearInterval(watch);
    const steps = baton[POSITION] as number;
    return {
      steps,
      problem: errors[0] ?? PROBLEMS[baton[END] as number] ?? '',
      log: baton.slice(plan.log, plan.log + steps * LOG_WORDS),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

/** Gives up a run that makes no step any more. */
function watchSteps(baton: Int32Array): NodeJS.Timeout {
  let before = 0;
  let since = performance.now();
  return setInterval(() => {
    const steps = Atomics.load(baton, POSITION);
    const patience = steps === 0 ? STARTING_MS : STUCK_MS;
    if (steps !== before) since = performance.now();
    else if (performance.now() - since >= patience) stopRun(baton, END_STOPPED);
    before = steps;
  }, STUCK_MS / 5);
}

/** Resolves when the thread has left the run, with its error if it left by one. */
function leaving(worker: Worker, baton: Int32Array): Promise<string> {
  return new Promise((resolve) => {
    const done = (error: string): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      if (error !== '') stopRun(baton, END_STOPPED);
      resolve(error);
    };
    const onMessage = (left: LeftRun): void => done(left.error);
    const onError = (error: Error): void => done(error.stack ?? error.message);
    worker.on('message', onMessage);
    worker.on('error', onError);
  });
}
