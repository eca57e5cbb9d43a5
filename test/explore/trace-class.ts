/**
 * Which class of equivalent executions an execution belongs to, told from what fibers show alone:
 * for each operation what it read and chose, for each word the order of its writes, and for each
 * processor with interrupts the order of its operations (Shasha and Snir, TOPLAS 1988). Nothing
 * of the reductions' own events and clocks is used.
 *
 * Two things are told apart that need not be, by the reductions too: a guarded access that did
 * not retire still has its place among the accesses of its word, and a load that takes another
 * actor's store from the buffer of their processor has one among the writes in memory.
 */
import type { Fibers } from '../../src/explore/fibers.ts';
import { INSERTS, WRITES } from '../../src/explore/model.ts';
import { effectOf } from '../../src/explore/models/sc.ts';
import { isStore } from '../../src/explore/models/tso.ts';
import type { Strategy } from '../../src/explore/strategy.ts';
import { CHOOSE, CMPXCHG, LOAD_THROUGH, LOST, STORE_THROUGH } from '../../src/shared/kinds.ts';

interface Store {
  readonly word: number;
  readonly actor: number;
  readonly name: string;
}

/** A strategy that does what another does and counts the executions of each class. */
export class ByClass implements Strategy {
  readonly name: string;
  readonly exhaustive: boolean;
  /** Complete executions by class. */
  readonly classes = new Map<string, number>();
  private readonly inner: Strategy;
  private facts: string[] = [];
  private writes = new Map<number, string[]>();
  private buffers: Store[][] = [];
  private orders: number[][] = [];
  private ranks: number[] = [];

  constructor(inner: Strategy) {
    this.inner = inner;
    this.name = inner.name;
    this.exhaustive = inner.exhaustive;
  }
  start(fibers: Fibers): boolean {
    const each = <T>(make: () => T): T[] => Array.from({ length: fibers.count }, make);
    this.facts = [];
    this.writes = new Map();
    this.buffers = each(() => []);
    this.orders = each(() => []);
    this.ranks = each(() => 0);
    return this.inner.start(fibers);
  }
  pick(fibers: Fibers): number {
    return this.inner.pick(fibers);
  }
  choose(fibers: Fibers, count: number): number {
    return this.inner.choose(fibers, count);
  }
  performed(fibers: Fibers, process: number): void {
    if (process < fibers.count) this.operation(fibers, process);
    else this.flush(process - fibers.count);
    this.inner.performed(fibers, process);
  }
  end(fibers: Fibers): boolean {
    const redundant = this.inner.end(fibers);
    if (!redundant) {
      const writes = [...this.writes].sort(([a], [b]) => a - b);
      const orders = fibers.processors.any ? this.orders : [];
      const key = JSON.stringify([this.facts.sort(), writes, orders]);
      this.classes.set(key, (this.classes.get(key) ?? 0) + 1);
    }
    return redundant;
  }

  private operation(fibers: Fibers, actor: number): void {
    const { pending, result } = fibers;
    const kind = pending.kind[actor];
    const word = pending.word[actor];
    const cpu = pending.cpu[actor];
    const name = `${actor}.${this.ranks[actor]++}`;
    this.orders[cpu].push(actor);
    const saw: (string | number)[] = [];
    if (kind === LOAD_THROUGH || kind === STORE_THROUGH) {
      saw.push(this.seen(cpu, actor, pending.b[actor]), result === LOST ? 'lost' : 'retired');
    }
    if (kind === CHOOSE) saw.push(result);
    if (effectOf(kind) > INSERTS && !isStore(kind)) saw.push(this.seen(cpu, actor, word));
    this.facts.push(`${name} ${saw.join(' ')}`);
    if (isStore(kind) && fibers.model.buffers > 0) {
      if (result !== LOST) this.buffers[cpu].push({ word, actor, name });
    } else if (isWrite(kind, result, pending.a[actor])) {
      this.write(word, name);
    }
  }

  private flush(cpu: number): void {
    const store = this.buffers[cpu].shift() as Store;
    this.write(store.word, store.name);
  }

  private write(word: number, name: string): void {
    const order = this.writes.get(word);
    if (order === undefined) this.writes.set(word, [name]);
    else order.push(name);
  }

  /** Whose store the actor sees in the word. */
  private seen(cpu: number, actor: number, word: number): string {
    const store = this.buffers[cpu].findLast((buffered) => buffered.word === word);
    if (store?.actor === actor) return store.name;
    return this.writes.get(word)?.at(-1) ?? 'initial';
  }
}

function isWrite(kind: number, result: number, expected: number): boolean {
  if (kind === CMPXCHG) return result === expected;
  return effectOf(kind) === WRITES;
}
