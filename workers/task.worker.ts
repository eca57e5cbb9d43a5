/**
 * A thread of a pool whose tasks are those of one module: workerData names it, from the root of an
 * edition and without `.js`; its `runTask` takes a task and returns what came of it.
 */
import { workerData } from 'node:worker_threads';

interface TaskModule {
  runTask(task: unknown): unknown;
}

const module = new URL(`../${workerData as string}.js`, import.meta.url);
const { runTask } = (await import(module.href)) as TaskModule;

export default runTask;
