/**
 * Selectively uniform random walk (SURW, ASPLOS 2025): picks a set of interesting events, here
 * all accesses to one shared word or to a few, and samples their interleavings uniformly: who
 * performs the next of them is drawn with weights that are the numbers of those each actor has
 * left. The numbers come from earlier executions; actors move freely between interesting events.
 */
import type { Fibers } from '../fibers.ts';
import { INSERTS, LOCAL } from '../model.ts';
import { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';
import { STRETCH } from '../strategy.ts';

export class SelectivelyUniform implements Strategy {
  readonly name = 'surw';
  readonly exhaustive = false;
  private readonly random = new Random();
  private readonly seed: number;
  private index: number;
  /** By word: how often each actor accessed it in the stretch so far, at most. */
  private readonly profile = new Map<number, Int32Array>();
  /** The words of the profile that more than one actor accesses, in order. */
  private shared: number[] = [];
  private counted = new Map<number, Int32Array>();
  private readonly interesting = new Set<number>();
  private left = new Int32Array(0);
  private intended = -1;

  constructor(seed: number, firstIndex = 0) {
    this.seed = seed;
    this.index = firstIndex;
  }

  start(fibers: Fibers): boolean {
    const { random, interesting } = this;
    if (this.index % STRETCH === 0) {
      this.profile.clear();
      this.shared = [];
    }
    random.reseed(this.seed, this.index++);
    interesting.clear();
    this.counted = new Map();
    this.left = new Int32Array(fibers.count);
    if (this.shared.length > 0) {
      const wanted = random.below(2) === 0 ? 1 : 1 + random.below(this.shared.length);
      for (let k = 0; k < wanted; k++) {
        interesting.add(this.shared[random.below(this.shared.length)]);
      }
    }
    for (const word of interesting) {
      const counts = this.profile.get(word) as Int32Array;
      for (let i = 0; i < fibers.count; i++) this.left[i] += counts[i];
    }
    this.intend(fibers);
    return true;
  }

  /** Draws who performs the next interesting event. */
  private intend(fibers: Fibers): void {
    let total = 0;
    for (let i = 0; i < fibers.count; i++) total += this.left[i];
    this.intended = -1;
    if (total === 0) return;
    let ticket = this.random.below(total);
    for (let i = 0; i < fibers.count; i++) {
      ticket -= this.left[i];
      if (ticket >= 0) continue;
      this.intended = i;
      return;
    }
  }

  pick(fibers: Fibers): number {
    const { enabled, random } = this.listed(fibers);
    if (enabled === 0) return -1;
    let allowed = 0;
    for (let k = 0; k < enabled; k++) {
      const process = fibers.enabled[k];
      const held = process !== this.intended && this.isInteresting(fibers, process);
      if (!held) fibers.enabled[allowed++] = process;
    }
    return fibers.enabled[random.below(allowed === 0 ? enabled : allowed)];
  }

  private listed(fibers: Fibers): { enabled: number; random: Random } {
    if (this.intended >= 0 && fibers.isDone(this.intended)) {
      this.left[this.intended] = 0;
      this.intend(fibers);
    }
    return { enabled: fibers.listEnabled(), random: this.random };
  }

  private isInteresting(fibers: Fibers, process: number): boolean {
    return process < fibers.count && this.interesting.has(fibers.pending.word[process]);
  }

  choose(_fibers: Fibers, count: number): number {
    return this.random.below(count);
  }

  performed(fibers: Fibers, process: number): void {
    const { effect } = fibers.model;
    if (effect === LOCAL || process >= fibers.count) return;
    const word = effect === INSERTS ? fibers.pending.word[process] : fibers.model.touched;
    let counts = this.counted.get(word);
    if (counts === undefined) {
      counts = new Int32Array(fibers.count);
      this.counted.set(word, counts);
    }
    counts[process]++;
    if (!this.interesting.has(word)) return;
    if (this.left[process] > 0) this.left[process]--;
    this.intend(fibers);
  }

  end(): boolean {
    for (const [word, counts] of this.counted) {
      const known = this.profile.get(word);
      if (known === undefined) {
        this.profile.set(word, counts);
        if (sharers(counts) > 1) this.shared.push(word);
        continue;
      }
      const before = sharers(known);
      counts.forEach((times, i) => (known[i] = Math.max(known[i], times)));
      if (before < 2 && sharers(known) > 1) this.shared.push(word);
    }
    this.shared.sort((a, b) => a - b);
    return false;
  }
}

function sharers(counts: Int32Array): number {
  return counts.reduce((found, times) => (times > 0 ? found + 1 : found), 0);
}
