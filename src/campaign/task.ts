/** What a thread of the work pool runs. Which scenarios there are is up to the module around it. */
import type { ScenarioModule } from '../explore/scenario.ts';
import { WorkRunner } from './run-work.ts';
import type { WorkResult } from './work.ts';
import type { WorkTask } from './work-pool.ts';

/** @param find - gives a scenario by name. */
export function taskRunner(find: ScenarioModule['findScenario']): (task: WorkTask) => WorkResult {
  const runner = new WorkRunner(find);
  return ({ work, beat }) => {
    Atomics.store(beat, 1, 1);
    return runner.run(work, beat);
  };
}
