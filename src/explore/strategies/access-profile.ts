/**
 * How often each actor accesses each word, by the first executions of a stretch: the fewest times
 * of those executions in which it did, which is what it does without retrying, and the most. The
 * words that were accessed are numbered in the order in which they came up.
 */
import type { Column } from '../columns.ts';
import { grown } from '../columns.ts';
import type { Fibers } from '../fibers.ts';
import { INSERTS, WRITES } from '../model.ts';
import type { Random } from '../random.ts';

const UNKNOWN = -1;
/** Executions of a stretch that are counted. */
const COUNTED = 16;

export class AccessProfile {
  private actors = 0;
  /** By word of the machine: its number here, or -1. */
  private numberOf: Column = new Int32Array(0);
  private words: Column = new Int32Array(64);
  private used = 0;
  /** By number and actor: accesses in this execution, … */
  private now: Column = new Int32Array(0);
  /** … the fewest in an execution with one, and the most; 0: there was none. */
  private fewest: Column = new Int32Array(0);
  private most: Column = new Int32Array(0);
  /** By number: 1 if somebody wrote the word. */
  private written: Column = new Int32Array(64);
  /** Numbers of the words that are shared and written, and all accesses to those up to each. */
  private readonly shared: number[] = [];
  private readonly upTo: number[] = [];
  /** Executions of this stretch that began. */
  private begun = 0;

  /** A new execution. @param afresh - forgets what earlier ones have shown. */
  begin(fibers: Pick<Fibers, 'saved' | 'count'>, afresh: boolean): void {
    const resized = this.numberOf.length !== fibers.saved.length || this.actors !== fibers.count;
    if (resized) {
      this.numberOf = new Int32Array(fibers.saved.length).fill(UNKNOWN);
      this.actors = fibers.count;
      this.used = 0;
    }
    if (resized || afresh) this.forget();
    this.begun++;
    if (this.isCounting()) this.now.fill(0, 0, this.used * this.actors);
  }

  private forget(): void {
    for (let k = 0; k < this.used; k++) this.numberOf[this.words[k]] = UNKNOWN;
    this.used = 0;
    this.begun = 0;
    this.listShared();
  }

  private isCounting(): boolean {
    return this.begun <= COUNTED;
  }

  /** The execution is over, and is one to learn from. */
  learn(): void {
    if (!this.isCounting()) return;
    const { fewest, most, now } = this;
    for (let at = 0; at < this.used * this.actors; at++) {
      const times = now[at];
      if (times === 0) continue;
      if (fewest[at] === 0 || times < fewest[at]) fewest[at] = times;
      if (times > most[at]) most[at] = times;
    }
    this.listShared();
  }

  /** An actor accessed a word. @param effect - of the event (model.ts). */
  count(word: number, actor: number, effect: number): void {
    if (!this.isCounting()) return;
    let number = this.numberOf[word];
    if (number < 0) number = this.enter(word);
    if (effect === WRITES || effect === INSERTS) this.written[number] = 1;
    this.now[number * this.actors + actor]++;
  }

  private enter(word: number): number {
    const { actors, used } = this;
    if (used === this.words.length) {
      this.words = grown(this.words);
      this.written = grown(this.written);
    }
    const end = (used + 1) * actors;
    if (end > this.now.length) {
      this.now = grown(this.now, end * 2);
      this.fewest = grown(this.fewest, end * 2);
      this.most = grown(this.most, end * 2);
    }
    this.now.fill(0, used * actors, end);
    this.fewest.fill(0, used * actors, end);
    this.most.fill(0, used * actors, end);
    this.written[used] = 0;
    this.words[used] = word;
    this.numberOf[word] = used;
    return this.used++;
  }

  private listShared(): void {
    const { actors, fewest, shared, upTo } = this;
    shared.length = 0;
    upTo.length = 0;
    let total = 0;
    for (let k = 0; k < this.used; k++) {
      let sharers = 0;
      let accesses = 0;
      for (let at = k * actors; at < (k + 1) * actors; at++) {
        if (fewest[at] > 0) sharers++;
        accesses += fewest[at];
      }
      if (sharers < 2 || this.written[k] === 0) continue;
      total += accesses;
      shared.push(k);
      upTo.push(total);
    }
  }

  /** Draws a shared, written word, the likelier the more it is accessed. @returns it, or -1. */
  drawShared(random: Random): number {
    const { shared, upTo } = this;
    if (shared.length === 0) return -1;
    const ticket = random.below(upTo[upTo.length - 1]);
    let k = 0;
    while (upTo[k] <= ticket) k++;
    return this.words[shared[k]];
  }

  /**
   * Fills `into` with what each actor is taken to access a word that was drawn. If its accesses
   * were as many in all executions, those. If not, from half the fewest to the fewest, the same
   * share for all: nobody knows how many are left until something breaks, and who has none left by
   * the estimate lets those behind catch up.
   */
  drawCounts(word: number, random: Random, into: Int32Array): void {
    const from = this.numberOf[word] * this.actors;
    const share = this.isFixed(from) ? 1 : random.unit();
    for (let i = 0; i < this.actors; i++) {
      const fewest = this.fewest[from + i];
      const half = fewest >> 1;
      into[i] = share === 1 ? fewest : half + Math.floor(share * (fewest - half + 1));
    }
  }

  /** Does every actor access the word as often in each execution? */
  private isFixed(from: number): boolean {
    for (let at = from; at < from + this.actors; at++) {
      if (this.fewest[at] !== this.most[at]) return false;
    }
    return true;
  }
}
