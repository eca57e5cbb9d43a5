/** Sightings of all shards put together: each bug once. */
import { createHash } from 'node:crypto';
import type { Sighting } from '../work.ts';
import type { SeenBy, Shrunk, SightingRecord } from './records.ts';

/** Names a finding: 8 hex digits, the same in every store. */
export function sightingId({ scenario, design, fingerprint }: Sighting): string {
  const what = JSON.stringify([scenario, design, fingerprint]);
  return createHash('sha256').update(what).digest('hex').slice(0, 8);
}

/** A finding that was seen by a cell; the simplest execution of all speaks for it. */
export function withSighting(
  known: SightingRecord | undefined,
  sighting: Sighting,
  cell: number,
  atMs: number,
): SightingRecord {
  const { times, ...told } = sighting;
  if (known === undefined) {
    const id = sightingId(sighting);
    return { ...told, id, seen: [{ cell, times }], atMs, shrunk: null };
  }
  const seen = seenMore(known.seen, cell, times);
  return isSimpler(told, known) ? { ...known, ...told, seen } : { ...known, seen };
}

function seenMore(seen: readonly SeenBy[], cell: number, times: number): SeenBy[] {
  const before = seen.find((by) => by.cell === cell)?.times ?? 0;
  const others = seen.filter((by) => by.cell !== cell);
  return [...others, { cell, times: before + times }].sort((a, b) => a.cell - b.cell);
}

interface Told {
  readonly preemptions: number;
  readonly steps: number;
  readonly seed: string;
}

/** An order without ties, so that it does not matter who was seen first. */
export function isSimpler(a: Told, b: Told): boolean {
  if (a.preemptions !== b.preemptions) return a.preemptions < b.preemptions;
  if (a.steps !== b.steps) return a.steps < b.steps;
  return a.seed < b.seed;
}

/** A sighting of a smaller program, as what it was made of keeps it. */
export function shrunkOf(sighting: Sighting): Shrunk {
  const { seed, fingerprint, message, words, steps, preemptions } = sighting;
  return { seed, fingerprint, message, words, steps, preemptions };
}
