/** What a thread of the corpus' pool runs (workers/task.worker.ts). */
import { raceScenarios } from '../race-scenarios.ts';
import type { After, Before } from './evidence.ts';
import { showAfter, showBefore } from './evidence.ts';

export type CorpusTask =
  | { readonly scenario: string; readonly kind: 'before' }
  | {
      readonly scenario: string;
      readonly kind: 'after';
      readonly memory: 'sc' | 'tso';
      readonly seconds: number;
    };

/** Throws if there is no such scenario. */
export function runTask(task: CorpusTask): Before | After {
  const scenario = raceScenarios.find(({ name }) => name === task.scenario);
  if (scenario === undefined) throw new RangeError(`no scenario ${task.scenario}`);
  if (task.kind === 'before') return showBefore(scenario);
  return showAfter(scenario, task.memory, task.seconds);
}
