/** What the page asks of the engine in its worker, and what it is told. */
import type { PageRace } from '../../src/report/page-data.ts';

export type Question =
  /** The execution of a seed. */
  | { readonly ask: 'show'; readonly seed: string }
  /** The same up to a step, then another process, then the rest in its recorded order. */
  | {
      readonly ask: 'turn';
      readonly seed: string;
      readonly step: number;
      readonly process: number;
    }
  /** The same, with another result of the choice of data at a step. */
  | {
      readonly ask: 'choice';
      readonly seed: string;
      readonly step: number;
      readonly value: number;
    }
  /** What comes of each process that could go at a step. */
  | {
      readonly ask: 'futures';
      readonly seed: string;
      readonly step: number;
      readonly processes: readonly number[];
    }
  /** The share of executions that break, when drawn at random from each of these steps on. */
  | {
      readonly ask: 'odds';
      readonly seed: string;
      readonly steps: readonly number[];
      readonly runs: number;
    };

/** An execution, and the seed that shows it anywhere. */
export interface Played extends PageRace {
  readonly seed: string;
}

/** What comes of a process going at a step. */
export interface Future {
  readonly process: number;
  /** Name of the invariant that breaks; null if nothing does. */
  readonly invariant: string | null;
  /** Of the whole execution. */
  readonly steps: number;
}

/** By question: its answer. */
export interface Answers {
  readonly show: Played;
  readonly turn: Played;
  readonly choice: Played;
  readonly futures: readonly Future[];
  readonly odds: readonly number[];
}

/** A question with the number of its answer. */
export interface Request {
  readonly number: number;
  readonly question: Question;
}

export type Reply =
  | { readonly number: number; readonly answer: Answers[Question['ask']] }
  | { readonly number: number; readonly error: string };
