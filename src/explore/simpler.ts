/**
 * What is simpler than a schedule: turns dropped, moved together or cut off, choices of data made
 * 0. A turn is what one process does between two switches.
 */
import type { Replayed, Schedule } from './replay.ts';

interface Turn {
  readonly process: number;
  readonly steps: number;
}

/** Fewer preemptions, then fewer turns, then fewer steps, then smaller choices. */
export function isSimpler(a: Replayed, b: Replayed): boolean {
  if (a.preemptions !== b.preemptions) return a.preemptions < b.preemptions;
  const turns = turnsOf(a.schedule).length - turnsOf(b.schedule).length;
  if (turns !== 0) return turns < 0;
  if (a.schedule.length !== b.schedule.length) return a.schedule.length < b.schedule.length;
  return sum(a.choices) < sum(b.choices);
}

function sum(all: readonly number[]): number {
  return all.reduce((total, one) => total + one, 0);
}

function turnsOf(schedule: readonly number[]): Turn[] {
  const turns: Turn[] = [];
  for (const process of schedule) {
    const last = turns.at(-1);
    if (last?.process === process) turns[turns.length - 1] = { process, steps: last.steps + 1 };
    else turns.push({ process, steps: 1 });
  }
  return turns;
}

function scheduleOf(turns: readonly Turn[]): number[] {
  return turns.flatMap(({ process, steps }) => Array.from({ length: steps }, () => process));
}

/** Everything that could be simpler, the largest steps first. */
export function* simpler({ schedule, choices }: Schedule): Generator<Schedule> {
  for (const shorter of simplerSchedules(schedule)) yield { schedule: shorter, choices };
  for (let i = 0; i < choices.length; i++) {
    if (choices[i] > 0) yield { schedule, choices: choices.with(i, 0) };
  }
}

/** Long cuts first, then single turns. */
function* simplerSchedules(schedule: readonly number[]): Generator<number[]> {
  const turns = turnsOf(schedule);
  for (let size = turns.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from + size <= turns.length; from += size) {
      yield scheduleOf([...turns.slice(0, from), ...turns.slice(from + size)]);
    }
  }
  for (let cut = turns.length - 1; cut > 0; cut--) yield scheduleOf(turns.slice(0, cut));
  for (let i = 0; i + 2 < turns.length; i++) {
    const later = turns.findIndex(({ process }, k) => k > i + 1 && process === turns[i].process);
    if (later < 0) continue;
    const between = turns.slice(i + 1, later);
    const tail = turns.slice(later + 1);
    yield scheduleOf([...turns.slice(0, i), turns[i], turns[later], ...between, ...tail]);
    yield scheduleOf([...turns.slice(0, i), ...between, turns[i], turns[later], ...tail]);
  }
}
