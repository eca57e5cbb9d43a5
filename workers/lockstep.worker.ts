/** The thread of an actor that follows a recorded schedule. */
import { runLockstepActor } from '../src/threads/lockstep-actor.ts';

await runLockstepActor(new URL('..', import.meta.url));
