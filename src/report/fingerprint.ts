/**
 * Fingerprints: what makes two findings the same bug. The invariant, the words that show it
 * whatever their indices, and the functions of the accesses that decide, in no order, as KCSAN
 * titles a race by its two functions; where no pair decides, the function in which it broke and
 * its caller.
 *
 *   I8: d*.page[*].private, d*.page[*].refcount @ getPage | setPagePrivate
 */
import type { RaceRecord, RaceStep } from './race.ts';
import { placesOfStack } from './race.ts';

/** A word without its indices: `gnttab[d1].entry[8].hdr` → `gnttab[*].entry[*].hdr`. */
export function generalised(name: string): string {
  return name
    .replaceAll(/\[[^\]]*\]/g, '[*]')
    .replace(/^d\d+v\d+(?=\.|$)/, 'd*v*')
    .replace(/^d\d+(?=\.|$)/, 'd*');
}

/** What the fingerprint is made of. */
export interface FingerprintParts {
  readonly invariant: string;
  /** Names of words. */
  readonly words: readonly string[];
  /** Names of functions; empty ones are left out. */
  readonly functions: readonly string[];
}

/** The fingerprint of a finding. */
export function fingerprint({ invariant, words, functions }: FingerprintParts): string {
  const shown = unique(words.map(generalised)).join(', ');
  const where = unique(functions.filter((fn) => fn !== '')).join(' | ');
  return `${invariant}${shown === '' ? '' : `: ${shown}`}${where === '' ? '' : ` @ ${where}`}`;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

/** The fingerprint of a record without one; null if nothing broke. */
export function fingerprintOf(race: RaceRecord): string | null {
  if (race.invariant === null) return null;
  const invariant = race.kind === 'assertion' ? assertionOf(race) : race.invariant;
  const functionOf = (stack: number): string => placesOfStack(race, stack)[0]?.fn ?? '';
  if (race.waits.length > 0) {
    return fingerprint({
      invariant,
      words: race.waits.map(({ object }) => race.objects[object]?.name ?? ''),
      functions: race.waits.map(({ stack }) => functionOf(stack)),
    });
  }
  const pair = isShown(race) ? race.conflict : null;
  const deciding = race.loop === null ? pair : stepsOfLoop(race.loop);
  return fingerprint({
    invariant,
    words: race.words,
    functions: deciding?.map((i) => functionOf((race.steps[i] as RaceStep).stack)) ?? endOf(race),
  });
}

/** The function in which it broke, and its caller: alone, many of them would say too little. */
function endOf(race: RaceRecord): string[] {
  const places = placesOfStack(race, race.steps.at(-1)?.stack ?? -1);
  return places.slice(0, 2).map(({ fn }) => fn);
}

/** Is the pair about a word that shows what broke? Else it is only the nearest one. */
function isShown({ conflict, shows, steps }: RaceRecord): boolean {
  const words = new Set(shows.map(({ object }) => object));
  return conflict?.some((i) => words.has(steps[i]?.object ?? -1)) === true;
}

/** `kernel BUG_PAGE_COUNT`: which assertion it was is part of what broke. */
function assertionOf({ invariant, message }: RaceRecord): string {
  const name = /\bBUG_\w+/.exec(message ?? '')?.[0];
  return name === undefined ? (invariant ?? '') : `${invariant} ${name}`;
}

function stepsOfLoop({ from, length }: { from: number; length: number }): number[] {
  return Array.from({ length }, (_, i) => from + i);
}
