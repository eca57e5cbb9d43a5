/** From the name of an operation to who performs it. */
import type { Seen } from '../compare.ts';
import { parseOperation } from '../operation.ts';
import type { Step } from '../recording.ts';
import type { Scene } from '../scene.ts';
import { Unsupported } from '../world.ts';
import type { Handler } from './arguments.ts';
import { eventOperations } from './events.ts';
import { fileOperations } from './files.ts';
import { futexOperations } from './futexes.ts';
import { copyOperations } from './grant-copy.ts';
import { grantOperations } from './grants.ts';
import { gntdevOperations } from './gntdev.ts';
import { hypercallOperations } from './hypercalls.ts';
import { memoryOperations } from './memory.ts';
import { pinningOperations } from './pinning.ts';
import { viewOperations } from './views.ts';
import { waitingOperations } from './waiting.ts';

const operations: ReadonlyMap<string, Handler> = new Map(
  Object.entries({
    ...gntdevOperations,
    ...grantOperations,
    ...copyOperations,
    ...memoryOperations,
    ...fileOperations,
    ...hypercallOperations,
    ...pinningOperations,
    ...eventOperations,
    ...futexOperations,
    ...viewOperations,
    ...waitingOperations,
  }),
);

/** Performs a step. @throws Unsupported if the guest has not what it needs. */
export function perform(scene: Scene, step: Step): Seen {
  const operation = parseOperation(step.op);
  const handler = operations.get(operation.name);
  if (handler === undefined) throw new Unsupported(`no operation called "${step.op}"`);
  const process = scene.process(step.actor);
  const seen = handler(scene, { step, operation, process });
  process.words = '';
  return seen;
}
