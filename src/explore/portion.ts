/**
 * A portion of an exhaustive search: some executions of one subtree of a question. What is left of
 * the subtree afterwards, and what it asks of others, goes back to whoever shares out the search.
 */
import type { CheckResult } from './check.ts';
import { explore, fibersFor } from './check.ts';
import type { Share, Subtree } from './dpor/subtree.ts';
import type { Question } from './range.ts';
import type { ScenarioModule } from './scenario.ts';
import { PreparedQuestion } from './range.ts';
import { DepthFirst } from './strategies/dfs.ts';
import { OptimalDpor } from './strategies/optimal.ts';
import { SourceDpor } from './strategies/dpor.ts';

/** Exhaustive strategies whose search can be shared out. */
export const SHAREABLE = ['dfs', 'dpor', 'optimal'] as const;

/** What to explore: below these decisions, for dfs; a subtree for the reductions. */
export type Part = { readonly decisions: readonly number[] } | { readonly subtree: Subtree };

export interface Portion {
  readonly question: Question;
  readonly part: Part;
  /** Most executions to run. */
  readonly executions: number;
  /** Most time to spend. */
  readonly seconds: number;
  /** One shared word: 0 once nothing need be run any more. */
  readonly end?: Int32Array;
  /** Told before every execution; only in the same thread. */
  readonly onBegin?: () => void;
}

/** What came of a portion. */
export interface Portioned {
  readonly result: CheckResult;
  /** Of dfs: what is left. */
  readonly decisions: readonly (readonly number[])[];
  /** Of a reduction; null if there was no execution. */
  readonly share: Share | null;
}

/** Runs portions in this thread. */
export class PortionRunner {
  private readonly prepared: PreparedQuestion;

  /** @param find - gives a scenario by name. */
  constructor(find: ScenarioModule['findScenario']) {
    this.prepared = new PreparedQuestion(find);
  }

  run({ question, part, executions, seconds, end, onBegin }: Portion): Portioned {
    const { memory, strategy, seed, depth, ...subject } = question;
    const how = { memory, strategy, seed, depth, executions, seconds };
    const goOn = (): boolean => {
      if (end !== undefined && Atomics.load(end, 0) === 0) return false;
      onBegin?.();
      return true;
    };
    const options = { ...this.prepared.of(question), ...how, subject, goOn };
    if ('decisions' in part) {
      const search = new DepthFirst(part.decisions);
      const result = explore(options, fibersFor(options, search));
      return { result, decisions: result.exhausted ? [] : search.rest(), share: null };
    }
    const { subtree } = part;
    const search = strategy === 'dpor' ? new SourceDpor(subtree) : new OptimalDpor(subtree);
    const result = explore(options, fibersFor(options, search));
    return { result, decisions: [], share: search.share() };
  }
}
