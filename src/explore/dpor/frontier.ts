/**
 * The nodes of a search tree between its root and the subtrees that were given out: who keeps them
 * gives out one branch after another, takes back what is left of a subtree that was put down, and
 * meets the demands that come from below.
 *
 * A branch that leaves a free hand stands for everything that begins with it, so it can be given
 * out at once. One with a wake-up tree below it waits until its elder siblings are explored: until
 * then they can ask for more below it.
 */
import type { EventRows } from './footprint.ts';
import { Footprints } from './footprint.ts';
import type { Branch, Demand, EventNote, OpenNode, Share, Shape, Subtree } from './subtree.ts';
import { WHOLE_TREE } from './subtree.ts';
import { WakeupTree } from './wakeup-tree.ts';

interface Node {
  /** Its wake-up tree is the one of this depth. */
  readonly id: number;
  readonly path: readonly number[];
  /** Who sleeps here, with all who were given out. */
  readonly sleepers: EventNote[];
}

/** A node that must be kept while branches below it or at it are still to be given out. */
export interface KeptNode extends OpenNode {
  readonly path: readonly number[];
}

export class Frontier {
  private readonly nodes = new Map<string, Node>();
  private readonly tree = new WakeupTree();
  private readonly awake = new Footprints();
  /** Nodes with branches to give out. */
  private readonly open = new Set<Node>();
  /** Roots of the subtrees that somebody explores now. */
  private readonly given = new Set<string>();
  private begun = false;

  /**
   * What is left, in a form that can be written down: nodes with branches first, in the order in
   * which they were opened, then those above them. Nothing may be given out.
   */
  save(): readonly KeptNode[] {
    const above = new Set([...this.open].flatMap(prefixesOf));
    const inner = [...this.nodes.values()].filter(
      (node) => !this.open.has(node) && above.has(node.path.join()),
    );
    return [...this.open, ...inner].map(({ id, path, sleepers }) => ({
      path,
      sleepers: [...sleepers],
      branches: this.tree.notesAt(id),
    }));
  }

  /** A frontier that goes on from what another one saved. */
  static restore(kept: readonly KeptNode[]): Frontier {
    const frontier = new Frontier();
    frontier.begun = true;
    for (const { path, sleepers, branches } of kept) frontier.enter(path, sleepers, branches);
    return frontier;
  }

  /** @returns a subtree to explore, or null if there is none now. */
  next(): Subtree | null {
    if (!this.begun) {
      this.begun = true;
      this.given.add('');
      return WHOLE_TREE;
    }
    let found: Node | undefined;
    for (const node of this.open) {
      const better = found === undefined || node.path.length < found.path.length;
      if (better && this.isReady(node)) found = node;
    }
    return found === undefined ? null : this.giveOut(found);
  }

  private isReady(node: Node): boolean {
    if (!this.tree.isGuided(node.id)) return true;
    const below = node.path.length === 0 ? '' : `${node.path.join()},`;
    for (const root of this.given) if (root.startsWith(below)) return false;
    for (const other of this.open) {
      if (other !== node && other.path.join().startsWith(below)) return false;
    }
    return true;
  }

  private giveOut(node: Node): Subtree {
    const { tree } = this;
    const branch = tree.noteBranch(tree.takeFirst(node.id));
    if (tree.isEmpty(node.id)) this.open.delete(node);
    const { event } = branch;
    const path = [...node.path, event[0] as number];
    const sleepers = node.path.map((_, depth) => [...this.nodeAt(node.path, depth).sleepers]);
    sleepers.push([...node.sleepers]);
    node.sleepers.push(event);
    this.given.add(path.join());
    return { path, sleepers, below: branch.below };
  }

  private nodeAt(path: readonly number[], depth: number): Node {
    const node = this.nodes.get(prefix(path, depth));
    if (node === undefined) throw new RangeError(`nobody explores below depth ${depth}`);
    return node;
  }

  /** Takes back what a subtree has come to. @param subtree - as it was given out. */
  takeBack(subtree: Subtree, { demands, rest, shape }: Share): void {
    this.given.delete(subtree.path.join());
    if (rest !== null) {
      const root = subtree.path.length;
      rest.nodes.forEach(({ sleepers, branches }, k) => {
        const path = rest.path.slice(0, root + k);
        this.enter(path, sleepers, branches);
      });
    }
    for (const demand of demands) this.meet(subtree.path, demand, shape);
  }

  private enter(
    path: readonly number[],
    sleepers: readonly EventNote[],
    branches: readonly Branch[],
  ): void {
    const node = { id: this.nodes.size, path, sleepers: [...sleepers] };
    this.nodes.set(path.join(), node);
    this.tree.open(node.id, this.tree.plant(branches));
    if (branches.length > 0) this.open.add(node);
  }

  private meet(path: readonly number[], { depth, sequence, initials }: Demand, shape: Shape): void {
    const node = this.nodeAt(path, depth);
    const rows = rowsOf(sequence, shape);
    if (initials.length > 0 ? this.hasOneOf(node, initials) : this.isCovered(node, rows)) return;
    this.tree.clear();
    sequence.forEach((_, x) => this.tree.append(x));
    this.tree.insert(node.id, rows);
    if (this.tree.grafted) this.open.add(node);
  }

  /** Is one of these processes explored here, or will it be? */
  private hasOneOf(node: Node, initials: readonly number[]): boolean {
    return (
      node.sleepers.some((event) => initials.includes(event[0] as number)) ||
      this.tree.processesAt(node.id).some((process) => initials.includes(process))
    );
  }

  /** Can one of those who were given out come first in the sequence? */
  private isCovered(node: Node, rows: EventRows & { readonly length: number }): boolean {
    const { awake } = this;
    let left = node.sleepers.length;
    awake.reserve(left);
    node.sleepers.forEach((event, k) => awake.put(k, event));
    for (let x = 0; x < rows.length; x++) {
      let kept = 0;
      for (let k = 0; k < left; k++) {
        if (awake.proc[k] === rows.proc[x]) return true;
        if (awake.conflictsWith(k, rows, x)) continue;
        awake.move(kept, k);
        awake.pass(kept++, rows, x);
      }
      left = kept;
    }
    return left > 0;
  }
}

/** The keys of the nodes above this one. */
function prefixesOf({ path }: Node): string[] {
  return path.map((_, i) => prefix(path, i));
}

/** The key of the node at this depth of a path. */
function prefix(path: readonly number[], depth: number): string {
  return path.slice(0, depth).join();
}

function rowsOf(
  sequence: readonly EventNote[],
  { actors, cpu, grouped }: Shape,
): EventRows & { readonly length: number } {
  const column = (at: number): Int32Array<ArrayBuffer> =>
    Int32Array.from(sequence, (event) => event[at] as number);
  return {
    length: sequence.length,
    proc: column(0),
    effect: column(1),
    word: column(2),
    guard: column(3),
    guardOwn: column(4),
    ordinal: column(5),
    choice: column(6),
    actors,
    cpu: Int32Array.from(cpu),
    grouped,
  };
}
