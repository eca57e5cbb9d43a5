/**
 * What a store holds. One LMDB environment; keys are arrays that begin with one of these words:
 *
 *   campaign               what is asked, by which code                        written once
 *   writer                 who writes                                          taken and given back
 *   part                   which of n machines this one is                     written once
 *   cell, c                totals and verdict of cell c                        with each shard
 *   pairs, c               ordered pairs that executions of c have shown       with each shard
 *   shard, c, n            shard n of c: its tally, and what was seen in it    once
 *   search, c              where an exhaustive search stands between rounds    at the end of one
 *   left, c, n             what is left of shard n of the round                until its round ends
 *   sighting, id           a finding, its seed, how often each cell saw it     with each shard
 *   rate, minute           executions of this minute                           with each shard
 *
 * Everything that a shard changes is changed in one transaction, which is on the disk when it
 * returns. Whether `shard, c, n` is there decides whether the shard counts: it is looked up in the
 * same transaction, so no shard counts twice.
 */
import type { CellName, Verdict } from '../cells/cell.ts';
import type { Failure, Sighting } from '../work.ts';

export const STORE_VERSION = 1;

export interface CampaignRecord {
  readonly v: number;
  readonly id: string;
  readonly name: string;
  readonly plan: string;
  readonly code: string;
  readonly cells: readonly CellName[];
  readonly startedMs: number;
}

export interface WriterRecord {
  readonly pid: number;
  readonly host: string;
}

export interface CellRecord {
  readonly executions: number;
  readonly blocked: number;
  readonly discarded: number;
  readonly steps: number;
  readonly milliseconds: number;
  readonly shards: number;
  readonly failed: number;
  readonly verdict: Verdict;
}

export interface ShardRecord {
  readonly executions: number;
  readonly blocked: number;
  readonly discarded: number;
  readonly steps: number;
  readonly milliseconds: number;
  /** When it was kept, in milliseconds since 1970. */
  readonly atMs: number;
  readonly exhausted: boolean;
  /** Ids of what broke in it, and how often. */
  readonly sightings: readonly (readonly [string, number])[];
  readonly failure: Failure | null;
}

/** How often something was seen by a cell. */
export interface SeenBy {
  readonly cell: number;
  readonly times: number;
}

export interface SightingRecord extends Omit<Sighting, 'times'> {
  readonly id: string;
  readonly seen: readonly SeenBy[];
  /** When it was first kept, in milliseconds since 1970. */
  readonly atMs: number;
  /** The same made smaller; null until then. */
  readonly shrunk: Shrunk | null;
}

export interface Shrunk {
  readonly seed: string;
  readonly fingerprint: string;
  readonly message: string;
  readonly words: readonly string[];
  readonly steps: number;
  readonly preemptions: number;
}

export const NO_CELL: CellRecord = {
  executions: 0,
  blocked: 0,
  discarded: 0,
  steps: 0,
  milliseconds: 0,
  shards: 0,
  failed: 0,
  verdict: 'open',
};

/** How often it was seen, in all. */
export function timesOf({ seen }: { readonly seen: readonly SeenBy[] }): number {
  return seen.reduce((sum, { times }) => sum + times, 0);
}
