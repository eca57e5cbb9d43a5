/** What a thread of the matrix' pool runs (workers/task.worker.ts). */
import { raceScenarios } from '../race-scenarios.ts';
import type { Cell } from './cell.ts';
import type { Attempt } from './decide.ts';
import { decide } from './decide.ts';

/** Decides a cell. Throws if its race does not exist. */
export function runTask(attempt: Attempt): Cell {
  const name = `race/${attempt.cell.race}`;
  const scenario = raceScenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new RangeError(`no race called ${name}`);
  return decide(scenario, attempt);
}
