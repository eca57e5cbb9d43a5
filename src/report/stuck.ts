/** Executions that do not end: who waits for whom, and what repeats. */
import { WRITES } from '../explore/model.ts';
import { ACQUIRE_WHEN, AWAIT_EQUAL, AWAIT_NOT_EQUAL, CMPXCHG } from '../shared/kinds.ts';
import type { NarratedStep } from './narrate.ts';
import type { RaceLoop, RaceWait } from './race.ts';

/**
 * Who holds a lock at the end: the actor whose last step on the word took it. What takes a lock is
 * a wait that ended, or a compare-and-exchange that left it taken.
 * @param word - the lock. @param except - who asks.
 */
export function holderOf(
  steps: readonly NarratedStep[],
  word: number,
  except: number,
): { readonly actor: number; readonly step: number } | null {
  const seen = new Set<number>([except]);
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i] as NarratedStep;
    if (step.word !== word || seen.has(step.actor)) continue;
    const { kind, effect, after } = step;
    const took =
      kind === AWAIT_EQUAL ||
      kind === AWAIT_NOT_EQUAL ||
      kind === ACQUIRE_WHEN ||
      (kind === CMPXCHG && effect === WRITES && after !== 0);
    if (took) return { actor: step.actor, step: i };
    if (effect === WRITES) seen.add(step.actor);
  }
  return null;
}

/** The actors of a cycle of waits, each waiting for the next; empty if there is none. */
export function waitCycle(waits: readonly RaceWait[]): RaceWait[] {
  const of = new Map(waits.map((wait) => [wait.actor, wait]));
  for (const start of waits) {
    const path: RaceWait[] = [];
    let at: RaceWait | undefined = start;
    while (at !== undefined && !path.includes(at)) {
      path.push(at);
      at = at.holder === null ? undefined : of.get(at.holder.actor);
    }
    if (at === start) return path;
  }
  return [];
}

/** The longest repetition that is looked for. */
const LONGEST = 4096;
/** So often must something repeat to be called a loop. */
const LEAST_TIMES = 3;

/** What the end of an execution repeats: actors, kinds, words and values alike. */
export function loopAtEnd(steps: readonly NarratedStep[]): RaceLoop | null {
  const { length } = steps;
  const same = (i: number, j: number): boolean => {
    const [a, b] = [steps[i] as NarratedStep, steps[j] as NarratedStep];
    return (
      a.actor === b.actor &&
      a.kind === b.kind &&
      a.word === b.word &&
      a.result === b.result &&
      a.places === b.places
    );
  };
  const most = Math.min(LONGEST, Math.floor(length / LEAST_TIMES));
  for (let period = 1; period <= most; period++) {
    let matched = 0;
    while (matched < length - period && same(length - 1 - matched, length - 1 - matched - period)) {
      matched++;
    }
    const times = Math.floor(matched / period) + 1;
    if (times >= LEAST_TIMES) return { from: length - times * period, length: period, times };
  }
  return null;
}
