/**
 * A cell of a campaign: one scenario under one design, memory model and strategy. It is cut into
 * shards, and how it is cut depends on nothing but the cell: every machine, and a campaign that
 * goes on after a kill, cuts it the same way.
 */
import { SHAREABLE } from '../../explore/portion.ts';
import type { Question } from '../../explore/range.ts';
import { SPREADABLE } from '../../explore/range.ts';
import type { SavedStock } from '../stock.ts';
import type { Failure, Left, Work, WorkResult } from '../work.ts';

/** The scenario whose programs are drawn. */
export const FUZZ = 'fuzz';

/** Which cell, and how far it goes. */
export interface CellName extends Question {
  /** Executions after which it is done; null: when nothing is left, or never. */
  readonly executions: number | null;
}

/** Strategies that a campaign can follow. */
export const CAMPAIGN_STRATEGIES = [...SPREADABLE, ...SHAREABLE] as const;

/** One piece of a cell. */
export interface Shard {
  /** Counts from 0 within the cell. */
  readonly number: number;
  readonly work: Work;
}

/** What came of a shard, as far as its cell is concerned. */
export type ShardEnd = { readonly result: WorkResult } | { readonly failure: Failure };

/** Where an exhaustive search stands between two rounds. */
export interface SearchState {
  readonly round: number;
  /** Number of the first shard of the round. */
  readonly first: number;
  readonly stock: SavedStock;
  readonly executions: number;
  readonly steps: number;
}

/** What a cell has come to. */
export type Verdict = 'open' | 'safe' | 'broken' | 'undecided' | 'failed';

/** What the store knows of a cell that goes on. */
export interface CellMemory {
  readonly verdict: Verdict;
  /** Shards that are done, with what the next ones depend on. */
  readonly done: ReadonlyMap<number, DoneShard>;
  readonly search: SearchState | null;
  /** Of the shards of the search's round that are done: what is left of each. */
  readonly left: ReadonlyMap<number, Left>;
}

export interface DoneShard {
  readonly executions: number;
  readonly blocked: number;
  readonly discarded: number;
  readonly steps: number;
  readonly failed: boolean;
  /** Something broke in it. */
  readonly broke: boolean;
  /** Of a search: nothing is left of its part. */
  readonly exhausted: boolean;
}

/** What a cell asks to be kept together with a shard that is done. */
export interface ToKeep {
  /** Of a search whose round ended: where it stands now. */
  readonly search: SearchState | null;
  readonly verdict: Verdict;
}

/** Cuts a cell into shards, and puts together what came of them. */
export interface CellRun {
  /** Whether `next` has something now. */
  readonly ready: boolean;
  /** How far it is: 0 to 1; null if there is no end to be seen. */
  readonly progress: number | null;
  readonly verdict: Verdict;
  /** A shard that nobody runs, or null if there is none now. */
  next(): Shard | null;
  /** A shard was not run after all. */
  putBack(shard: Shard): void;
  /** A shard is done. */
  done(shard: Shard, end: ShardEnd): ToKeep;
}

/** What a shard that is done means for those to come. */
export function doneShard(end: ShardEnd): DoneShard {
  if ('failure' in end) {
    const none = { executions: 0, blocked: 0, discarded: 0, steps: 0 };
    return { ...none, failed: true, broke: false, exhausted: false };
  }
  const { executions, blocked, discarded, steps, sightings, exhausted } = end.result;
  const tally = { executions, blocked, discarded, steps, exhausted };
  return { ...tally, failed: false, broke: sightings.length > 0 };
}
