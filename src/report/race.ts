/**
 * A race as a record: who did what in which order, which steps matter, and which two accesses
 * decide. Every view (terminal, page, exports) is made of it and of nothing else.
 */
import { AWAIT_EQUAL, AWAIT_NOT_EQUAL, ACQUIRE_WHEN } from '../shared/kinds.ts';
import type { NarratedStep, Narration, Switch } from './narrate.ts';

export interface RaceSubject {
  readonly scenario: string;
  readonly design: string;
  readonly memory: string;
  readonly seed: string;
  /** Names of the actors by index. */
  readonly actors: readonly string[];
}

export interface RaceStep extends NarratedStep {
  /** Several actors access its word, one of them writes, and it is no lock; or the word broke. */
  readonly matters: boolean;
}

export interface RaceRecord extends RaceSubject {
  readonly schema: 'race/v1';
  readonly verdict: 'broken' | 'safe';
  readonly invariant: string | null;
  readonly message: string | null;
  /** Names of the words that show it. */
  readonly words: readonly string[];
  readonly steps: readonly RaceStep[];
  readonly switches: readonly Switch[];
  readonly preemptions: number;
  /** The two steps whose order decides, as indices; null if there are none. */
  readonly conflict: readonly [number, number] | null;
}

const WAITS: readonly number[] = [AWAIT_EQUAL, AWAIT_NOT_EQUAL, ACQUIRE_WHEN];

/** Makes the record of a narrated execution. */
export function raceRecord(subject: RaceSubject, narration: Narration): RaceRecord {
  const { steps, switches, complaint, preemptions } = narration;
  const words = complaint?.words ?? [];
  const shared = sharedWords(steps);
  const named = (step: NarratedStep): boolean => words.includes(step.name);
  const matters = (step: NarratedStep): boolean =>
    step.word !== 0 && (shared.has(step.word) || (step.writes && named(step)));
  const conflict =
    lastConflict(steps, (step) => shared.has(step.word) && named(step)) ??
    writeBeforeEnd(steps, named) ??
    lastConflict(steps, (step) => shared.has(step.word));
  return {
    schema: 'race/v1',
    ...subject,
    verdict: complaint === null ? 'safe' : 'broken',
    invariant: complaint?.invariant ?? null,
    message: complaint?.message ?? null,
    words,
    steps: steps.map((step) => ({ ...step, matters: matters(step) })),
    switches,
    preemptions,
    conflict,
  };
}

/** Words by which actors meet: several access them and one writes. Locks only keep them apart. */
function sharedWords(steps: readonly NarratedStep[]): ReadonlySet<number> {
  const users = new Map<number, Set<number>>();
  const written = new Set<number>();
  const locks = new Set<number>();
  for (const { word, actor, writes, kind, flush } of steps) {
    if (word === 0) continue;
    if (!flush && WAITS.includes(kind)) locks.add(word);
    if (writes) written.add(word);
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

/** The last two accesses of one word by different actors of which one writes. */
function lastConflict(
  steps: readonly NarratedStep[],
  eligible: (step: NarratedStep) => boolean,
): [number, number] | null {
  for (let j = steps.length - 1; j > 0; j--) {
    const later = steps[j] as NarratedStep;
    if (!eligible(later)) continue;
    for (let i = j - 1; i >= 0; i--) {
      const earlier = steps[i] as NarratedStep;
      const both = earlier.word === later.word && earlier.actor !== later.actor;
      if (both && (earlier.writes || later.writes)) return [i, j];
    }
  }
  return null;
}

/**
 * Somebody's last write to a word that shows it, and the step of somebody else at which it broke.
 */
function writeBeforeEnd(
  steps: readonly NarratedStep[],
  named: (step: NarratedStep) => boolean,
): [number, number] | null {
  const end = steps.length - 1;
  const at = steps.findLastIndex(
    (step) => step.writes && named(step) && step.actor !== steps[end]?.actor,
  );
  return at < 0 ? null : [at, end];
}
