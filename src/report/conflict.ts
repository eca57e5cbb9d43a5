/**
 * Which accesses matter: those by which actors meet, and the two among them whose order decides.
 */
import { READS, READS_OWN, WRITES } from '../explore/model.ts';
import { ACQUIRE_WHEN, AWAIT_EQUAL, AWAIT_NOT_EQUAL } from '../shared/kinds.ts';
import type { NarratedStep } from './narrate.ts';

const WAITS: readonly number[] = [AWAIT_EQUAL, AWAIT_NOT_EQUAL, ACQUIRE_WHEN];

/** Does the step change its word? */
export function changes({ effect, before, after }: NarratedStep): boolean {
  return effect === WRITES && before !== after;
}

/** Does the step see or change its word in memory? */
function touches({ effect, word }: NarratedStep): boolean {
  return word !== 0 && (effect === READS || effect === READS_OWN || effect === WRITES);
}

/** Words by which actors meet: several access them and one writes. Locks only keep them apart. */
export function sharedWords(steps: readonly NarratedStep[]): ReadonlySet<number> {
  const users = new Map<number, Set<number>>();
  const written = new Set<number>();
  const locks = new Set<number>();
  for (const step of steps) {
    const { word, actor, kind, store } = step;
    if (word === 0) continue;
    if (store < 0 && WAITS.includes(kind)) locks.add(word);
    if (changes(step)) written.add(word);
    const of = users.get(word);
    if (of === undefined) users.set(word, new Set([actor]));
    else of.add(actor);
  }
  const shared = new Set<number>();
  for (const [word, of] of users) {
    if (of.size > 1 && written.has(word) && !locks.has(word)) shared.add(word);
  }
  return shared;
}

/**
 * The two steps whose order decides: the last conflict on a word that shows the finding; else
 * somebody's last write to such a word and the end; else the last conflict of all.
 * @param named - words that show the finding.
 */
export function decidingPair(
  steps: readonly NarratedStep[],
  shared: ReadonlySet<number>,
  named: ReadonlySet<number>,
): [number, number] | null {
  return (
    lastConflict(steps, ({ word }) => shared.has(word) && named.has(word)) ??
    writeBeforeEnd(steps, named) ??
    lastConflict(steps, ({ word }) => shared.has(word))
  );
}

/** The last two accesses of one word by different actors of which one writes. */
function lastConflict(
  steps: readonly NarratedStep[],
  eligible: (step: NarratedStep) => boolean,
): [number, number] | null {
  const accesses = new Map<number, number[]>();
  steps.forEach((step, i) => {
    if (!touches(step) || !eligible(step)) return;
    const of = accesses.get(step.word);
    if (of === undefined) accesses.set(step.word, [i]);
    else of.push(i);
  });
  let best: [number, number] | null = null;
  for (const of of accesses.values()) {
    const pair = lastPair(steps, of);
    if (pair !== null && (best === null || pair[1] > best[1])) best = pair;
  }
  return best;
}

/** @param accesses - steps that access one word, in order. */
function lastPair(
  steps: readonly NarratedStep[],
  accesses: readonly number[],
): [number, number] | null {
  for (let l = accesses.length - 1; l > 0; l--) {
    const j = accesses[l] as number;
    const later = steps[j] as NarratedStep;
    for (let e = l - 1; e >= 0; e--) {
      const i = accesses[e] as number;
      const earlier = steps[i] as NarratedStep;
      if (earlier.actor === later.actor) continue;
      if (changes(earlier) || changes(later)) return [i, j];
    }
  }
  return null;
}

/**
 * Somebody's last write to a word that shows it, and the step of somebody else at which it broke.
 */
function writeBeforeEnd(
  steps: readonly NarratedStep[],
  named: ReadonlySet<number>,
): [number, number] | null {
  const end = steps.length - 1;
  const at = steps.findLastIndex(
    (step) => changes(step) && named.has(step.word) && step.actor !== steps[end]?.actor,
  );
  return at < 0 ? null : [at, end];
}
