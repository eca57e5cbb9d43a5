/**
 * Parts of the search tree of a reduction, in a form that can be sent between threads.
 *
 * A subtree is everything below one node, and whoever explores it finds races whose reversal
 * belongs above its root: those are demands, to be met by whoever keeps the nodes above. A subtree
 * can be explored beside its elder siblings, as long as they sleep in it (frontier.ts).
 */

/** What an event does: process, effect, word, guard, guardOwn, ordinal (events.ts), choice. */
export type EventNote = readonly number[];

/** A branch of a wake-up tree. */
export interface Branch {
  readonly event: EventNote;
  readonly below: readonly Branch[];
}

export interface Subtree {
  /** Who goes, from the start to the root. */
  readonly path: readonly number[];
  /** By depth, above the root: who sleeps there. */
  readonly sleepers: readonly (readonly EventNote[])[];
  /** What must be explored from the root on; empty for a free hand. */
  readonly below: readonly Branch[];
}

/** Everything. */
export const WHOLE_TREE: Subtree = { path: [], sleepers: [], below: [] };

/** Something to be explored from a node above the root. */
export interface Demand {
  readonly depth: number;
  /** It begins so. */
  readonly sequence: readonly EventNote[];
  /** Source sets: one of these processes is enough. Wake-up trees: empty. */
  readonly initials: readonly number[];
}

/** A node that is still in work: what was begun there sleeps, what is left lies in branches. */
export interface OpenNode {
  readonly sleepers: readonly EventNote[];
  readonly branches: readonly Branch[];
}

/** What is left of a subtree that was put down: its open nodes, from the root down. */
export interface Rest {
  readonly path: readonly number[];
  readonly nodes: readonly OpenNode[];
}

/** Which processes exclude each other: what conflicts depend on beside events. */
export interface Shape {
  readonly actors: number;
  readonly cpu: readonly number[];
  readonly grouped: boolean;
}

/** What came of exploring a subtree for a while. */
export interface Share {
  readonly shape: Shape;
  readonly demands: readonly Demand[];
  /** null: all of it was explored, or the program chooses data. */
  readonly rest: Rest | null;
  /** The program chooses data: its subtrees cannot be told apart by processes alone. */
  readonly chooses: boolean;
}
