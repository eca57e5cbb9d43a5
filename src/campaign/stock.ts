/**
 * What is left of an exhaustive search: parts are given out, and what is left of each comes back.
 */
import type { KeptNode } from '../explore/dpor/frontier.ts';
import { Frontier } from '../explore/dpor/frontier.ts';
import type { Part } from '../explore/portion.ts';
import type { StrategyName } from '../explore/strategies/index.ts';
import type { Left } from './work.ts';

/** A stock in a form that can be written down, when no part is given out. */
export type SavedStock =
  | { readonly decisions: readonly (readonly number[])[] }
  | { readonly nodes: readonly KeptNode[] | null };

/** Gives out parts of a search and takes back what is left of them. */
export interface Stock {
  /** @returns null if there is none now. */
  next(): Part | null;
  takeBack(part: Part, left: Left): void;
  /** Only while nothing is given out. */
  save(): SavedStock;
}

class DecisionStock implements Stock {
  private readonly left: (readonly number[])[];

  constructor(left: readonly (readonly number[])[]) {
    this.left = [...left];
  }

  next(): Part | null {
    const decisions = this.left.pop();
    return decisions === undefined ? null : { decisions };
  }

  takeBack(_part: Part, { decisions }: Left): void {
    this.left.push(...decisions.toReversed());
  }

  save(): SavedStock {
    return { decisions: [...this.left] };
  }
}

class SubtreeStock implements Stock {
  private readonly frontier: Frontier;
  private begun: boolean;

  /** @param nodes - null: nothing has been given out yet. */
  constructor(nodes: readonly KeptNode[] | null) {
    this.begun = nodes !== null;
    this.frontier = nodes === null ? new Frontier() : Frontier.restore(nodes);
  }

  next(): Part | null {
    this.begun = true;
    const subtree = this.frontier.next();
    return subtree === null ? null : { subtree };
  }

  takeBack(part: Part, { share }: Left): void {
    if ('subtree' in part && share !== null) this.frontier.takeBack(part.subtree, share);
  }

  save(): SavedStock {
    return { nodes: this.begun ? this.frontier.save() : null };
  }
}

/** Everything that there is to search, for one of the strategies that can be shared out. */
export function wholeStock(strategy: StrategyName): Stock {
  return strategy === 'dfs' ? new DecisionStock([[]]) : new SubtreeStock(null);
}

/** A stock that goes on from what another one saved. */
export function restoredStock(saved: SavedStock): Stock {
  return 'decisions' in saved ? new DecisionStock(saved.decisions) : new SubtreeStock(saved.nodes);
}
