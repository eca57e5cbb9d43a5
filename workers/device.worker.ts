/** The thread of a device actor. */
import { workerData } from 'node:worker_threads';
import type { ActorSetup } from '../src/threads/actor.ts';
import { runActor } from '../src/threads/actor.ts';

await runActor(workerData as ActorSetup, new URL('..', import.meta.url));
