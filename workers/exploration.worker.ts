/**
 * A thread of the pool that explores. Its tasks are ranges of executions and portions of searches.
 */
import { workerData } from 'node:worker_threads';
import type { CheckResult } from '../src/explore/check.ts';
import type { Portion, Portioned } from '../src/explore/portion.ts';
import { PortionRunner } from '../src/explore/portion.ts';
import type { Range } from '../src/explore/range.ts';
import { RangeRunner } from '../src/explore/range.ts';
import type { ScenarioModule } from '../src/explore/scenario.ts';

const module = new URL(`../${workerData as string}.js`, import.meta.url);
const { findScenario } = (await import(module.href)) as ScenarioModule;
const ranges = new RangeRunner(findScenario);
const portions = new PortionRunner(findScenario);

export default function runRange(range: Range): CheckResult {
  return ranges.run(range);
}

export function runPortion(portion: Portion): Portioned {
  return portions.run(portion);
}
