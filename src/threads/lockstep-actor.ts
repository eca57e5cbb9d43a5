/**
 * An actor's thread in lockstep: opens the machine once, then runs its program again for every
 * schedule it is sent.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../shared/table.ts';
import { openMachine } from '../shared/layout.ts';
import { silent } from '../shared/observer.ts';
import { RunOver, enterRun, leaveRun } from '../shared/turn.ts';
import type { CastOptions, CreateCast } from './cast.ts';
import { processorOf } from './cast.ts';

/** What the thread is started with. */
export interface LockstepSetup {
  readonly castModule: string;
  readonly options: CastOptions;
  readonly config: Config;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
}

/** Said by a thread when it has left a run; the error if it left by one. */
export interface LeftRun {
  readonly error: string;
}

/** Makes this worker thread the actor that its data describes. */
export async function runLockstepActor(editionRoot: URL): Promise<void> {
  const setup = workerData as LockstepSetup;
  const module = (await import(new URL(`${setup.castModule}.js`, editionRoot).href)) as {
    createCast: CreateCast;
  };
  const cast = module.createCast(setup.options);
  openMachine(cast.tables, setup.config, setup.memory);
  const { index } = setup;
  parentPort?.on('message', (buffer: SharedArrayBuffer) => {
    const actors = cast.actors();
    const left: LeftRun = { error: '' };
    try {
      const processor = processorOf(actors, index);
      const observer = cast.observer?.() ?? silent;
      enterRun({ baton: new Int32Array(buffer), index, processor, observer });
      if (setup.options.without?.includes(index) !== true) actors[index]?.body();
      leaveRun();
      parentPort?.postMessage(left);
    } catch (error) {
      const own = error instanceof RunOver ? '' : String((error as Error).stack ?? error);
      parentPort?.postMessage({ error: own });
    }
  });
}
