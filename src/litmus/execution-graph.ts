/**
 * The execution graph of a run: from which store each load read, and the order of the stores to
 * each location. herd counts these, not interleavings: two runs with the same graph are the same
 * candidate execution, in whatever order their threads and buffers went.
 *
 * A thread announces a store before it performs it; the observer sees the stores of a thread
 * reach memory in the order in which they were announced. A load reads the thread's own latest
 * store that has not reached memory, else the store that reached memory last.
 */
interface Announced {
  readonly word: number;
  readonly store: string;
}

/** What a location holds before any store. */
const INITIAL = 'i';

export class ExecutionGraph {
  private readonly underway: Announced[][];
  private readonly inMemory = new Map<number, string>();
  private readonly order = new Map<number, string[]>();
  private readonly reads: string[][];
  private readonly stores: number[];

  constructor(threads: number) {
    this.underway = Array.from({ length: threads }, () => []);
    this.reads = Array.from({ length: threads }, () => []);
    this.stores = Array.from({ length: threads }, () => 0);
  }

  /** Forgets the last execution. */
  clear(): void {
    this.inMemory.clear();
    this.order.clear();
    this.underway.forEach((list) => (list.length = 0));
    this.reads.forEach((list) => (list.length = 0));
    this.stores.fill(0);
  }

  /** The thread is about to store. */
  announce(thread: number, word: number): void {
    this.underway[thread]?.push({ word, store: this.nameStore(thread) });
  }

  /** A plain store of the thread reached memory. */
  reached(thread: number): void {
    const first = this.underway[thread]?.shift();
    if (first !== undefined) this.settle(first.word, first.store);
  }

  /** The thread has loaded. */
  loaded(thread: number, word: number): void {
    const own = this.underway[thread]?.findLast((announced) => announced.word === word);
    this.reads[thread]?.push(own?.store ?? this.inMemory.get(word) ?? INITIAL);
  }

  /** The thread has updated atomically; its buffer is empty. */
  updated(thread: number, word: number): void {
    this.loaded(thread, word);
    this.settle(word, this.nameStore(thread));
  }

  /** Names the graph: equal names, equal graphs. */
  name(): string {
    const order = [...this.order].sort(([a], [b]) => a - b);
    const stores = order.map(([word, list]) => `${word}:${list.join()}`).join('|');
    return `${this.reads.map((list) => list.join()).join('|')}#${stores}`;
  }

  private nameStore(thread: number): string {
    const count = (this.stores[thread] ?? 0) + 1;
    this.stores[thread] = count;
    return `${thread}.${count}`;
  }

  private settle(word: number, store: string): void {
    this.inMemory.set(word, store);
    const list = this.order.get(word);
    if (list === undefined) this.order.set(word, [store]);
    else list.push(store);
  }
}
