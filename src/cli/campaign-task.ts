/** The work of campaigns on threads (workers/task.worker.ts), over all scenarios. */
import { taskRunner } from '../campaign/task.ts';
import { findScenario } from './scenarios.ts';

export const runTask = taskRunner(findScenario);
