/** A thread of the pool that explores. Its tasks are ranges of executions. */
import { workerData } from 'node:worker_threads';
import type { CheckResult } from '../src/explore/check.ts';
import type { Range } from '../src/explore/range.ts';
import { RangeRunner } from '../src/explore/range.ts';
import type { ScenarioModule } from '../src/explore/scenario.ts';

const module = new URL(`../${workerData as string}.js`, import.meta.url);
const { findScenario } = (await import(module.href)) as ScenarioModule;
const runner = new RangeRunner(findScenario);

export default function runRange(range: Range): CheckResult {
  return runner.run(range);
}
