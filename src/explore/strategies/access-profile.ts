/**
 * How often each actor accesses each word: the most that the executions of a stretch have shown.
 * The words that were accessed are numbered in the order in which they came up.
 */
import type { Column } from '../columns.ts';
import { grown } from '../columns.ts';
import type { Fibers } from '../fibers.ts';
import { INSERTS, WRITES } from '../model.ts';
import type { Random } from '../random.ts';

const UNKNOWN = -1;

export class AccessProfile {
  private actors = 0;
  /** By word of the machine: its number here, or -1. */
  private numberOf: Column = new Int32Array(0);
  private words: Column = new Int32Array(64);
  private used = 0;
  /** By number and actor: accesses in this execution, and the most in one execution. */
  private now: Column = new Int32Array(0);
  private most: Column = new Int32Array(0);
  /** By number: 1 if somebody wrote the word. */
  private written: Column = new Int32Array(64);
  /** Numbers of the words that are shared and written, and all accesses to those up to each. */
  private readonly shared: number[] = [];
  private readonly upTo: number[] = [];
  private stale = false;

  /** A new execution. @param afresh - forgets what earlier ones have shown. */
  begin(fibers: Fibers, afresh: boolean): void {
    if (this.numberOf.length !== fibers.saved.length || this.actors !== fibers.count) {
      this.numberOf = new Int32Array(fibers.saved.length).fill(UNKNOWN);
      this.actors = fibers.count;
      this.used = 0;
    }
    if (afresh) this.forget();
    else this.now.fill(0, 0, this.used * this.actors);
    if (this.stale) this.listShared();
  }

  private forget(): void {
    for (let k = 0; k < this.used; k++) this.numberOf[this.words[k]] = UNKNOWN;
    this.used = 0;
    this.stale = true;
  }

  /** An actor accessed a word. @param effect - of the event (model.ts). */
  count(word: number, actor: number, effect: number): void {
    let number = this.numberOf[word];
    if (number < 0) number = this.enter(word);
    if (this.written[number] === 0 && (effect === WRITES || effect === INSERTS)) {
      this.written[number] = 1;
      this.stale = true;
    }
    const at = number * this.actors + actor;
    const times = ++this.now[at];
    if (times <= this.most[at]) return;
    this.most[at] = times;
    this.stale = true;
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
      this.most = grown(this.most, end * 2);
    }
    this.now.fill(0, used * actors, end);
    this.most.fill(0, used * actors, end);
    this.written[used] = 0;
    this.words[used] = word;
    this.numberOf[word] = used;
    return this.used++;
  }

  private listShared(): void {
    const { actors, most, shared, upTo } = this;
    shared.length = 0;
    upTo.length = 0;
    let total = 0;
    for (let k = 0; k < this.used; k++) {
      let sharers = 0;
      let accesses = 0;
      for (let at = k * actors; at < (k + 1) * actors; at++) {
        if (most[at] > 0) sharers++;
        accesses += most[at];
      }
      if (sharers < 2 || this.written[k] === 0) continue;
      total += accesses;
      shared.push(k);
      upTo.push(total);
    }
    this.stale = false;
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

  /** Fills `into` with each actor's accesses to a word that was drawn. */
  countsOf(word: number, into: Int32Array): void {
    const from = this.numberOf[word] * this.actors;
    for (let i = 0; i < this.actors; i++) into[i] = this.most[from + i];
  }
}
