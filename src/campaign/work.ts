/**
 * Work of a campaign, as data: what a thread or another machine is asked to run, and what comes
 * back. A piece of work comes to the same wherever and whenever it is run.
 */
import type { Share } from '../explore/dpor/subtree.ts';
import type { Part } from '../explore/portion.ts';
import type { Question } from '../explore/range.ts';

/** Executions `first` to `first + executions - 1` of a strategy that draws. */
export interface DrawWork {
  readonly kind: 'draw';
  readonly question: Question;
  readonly first: number;
  readonly executions: number;
}

/** Some executions of a part of an exhaustive search. */
export interface SearchWork {
  readonly kind: 'search';
  readonly question: Question;
  readonly part: Part;
  readonly executions: number;
  /**
   * Executions if the part is everything and the program turns out to choose data: its subtrees
   * cannot be told apart by processes alone, so it is searched in one piece. null: all.
   */
  readonly most: number | null;
}

/** Programs from chance; the scenario of the question is `fuzz`. */
export interface FuzzWork {
  readonly kind: 'fuzz';
  readonly question: Question;
  readonly executions: number;
}

/** A finding to be made smaller. */
export interface ShrinkWork {
  readonly kind: 'shrink';
  readonly seed: string;
  readonly seconds: number;
}

export type Work = DrawWork | SearchWork | FuzzWork | ShrinkWork;

/** What broke in the executions of one piece of work; all that broke alike is one. */
export interface Sighting {
  readonly scenario: string;
  readonly design: string;
  readonly memory: 'sc' | 'tso';
  /** What makes it the same bug: invariant, words and code places. */
  readonly fingerprint: string;
  readonly invariant: string;
  readonly message: string;
  readonly words: readonly string[];
  readonly seed: string;
  readonly steps: number;
  readonly preemptions: number;
  /** Executions that broke like this. */
  readonly times: number;
}

/** What is left of an exhaustive search where it was put down. */
export interface Left {
  readonly decisions: readonly (readonly number[])[];
  readonly share: Share | null;
}

export interface WorkResult {
  readonly executions: number;
  readonly blocked: number;
  readonly discarded: number;
  readonly steps: number;
  readonly sightings: readonly Sighting[];
  /** Numbers of the ordered pairs of accesses that were seen, in order (coverage.ts). */
  readonly pairs: readonly number[];
  /** Of a search. */
  readonly left: Left | null;
  /** Of a search: nothing is left of its part. */
  readonly exhausted: boolean;
}

/** Why there is no result. */
export interface Failure {
  readonly reason: 'crashed' | 'out of memory' | 'hung' | 'failed';
  readonly message: string;
  /** Executions that were begun; the last of them did not end. */
  readonly begun: number;
}

/** What came of a piece of work. */
export type Outcome =
  { readonly result: WorkResult; readonly milliseconds: number } | { readonly failure: Failure };

/** Runs work somewhere: on threads of this process, or on other machines. */
export interface Runner {
  /** Pieces of work that it can use at a time; may change. */
  readonly slots: number;
  /**
   * Never rejects for what the work does to its thread: that is a failure.
   * @param key - names the work in its campaign.
   */
  run(key: string, work: Work): Promise<Outcome>;
  /** Forgets a piece of work whose outcome has been kept. */
  forget(key: string): Promise<void>;
  /** Figures of its own for the end of a campaign. */
  usage?(): object;
  close(): Promise<void>;
}

/** A result without anything in it. */
export const NOTHING: WorkResult = {
  executions: 0,
  blocked: 0,
  discarded: 0,
  steps: 0,
  sightings: [],
  pairs: [],
  left: null,
  exhausted: false,
};
