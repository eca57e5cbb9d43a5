/**
 * The thread that runs an actor in the threads edition: what interrupts it, who watches it, what
 * it has done so far. operations.threads.ts looks here before every operation, as a processor
 * looks at its interrupt lines between instructions.
 */
import { KIND_COUNT } from './kinds.ts';
import { mem } from './memory.ts';
import type { Observer } from './observer.ts';
import { silent } from './observer.ts';

/** Index in the counters of failed compare-and-swaps: work that has to be tried again. */
export const RETRIES = KIND_COUNT;
/** Length of the counters: one for each kind, and the retries. */
export const COUNTER_COUNT = KIND_COUNT + 1;

/** Tries of a wait before it sleeps; more only burns the core of the one that is waited for. */
export const SPIN_LIMIT = 100;
/**
 * Longest sleep before a wait looks again by itself: for interrupts, whose words a sleeper does
 * not sleep on, and for words that are stored by plain C.
 */
const SLEEP_MS = 0.2;

/** Who this thread is: the words that interrupt it, what runs then, and who watches. */
export interface ThreadActor {
  /** Index in the list of actors of the run. */
  readonly index: number;
  /** Word that is non-zero when the controller wants something (pause, checkpoint, stop). */
  readonly controlWord: number;
  /** Word that is non-zero when a physical interrupt is pending; 0 if the actor has no vCPU. */
  readonly physicalWord: number;
  /** Word of the vCPU's upcall: deliverable iff it equals `upcallDeliverable`; 0 if none. */
  readonly upcallWord: number;
  readonly upcallDeliverable: number;
  /** Count of threads that sleep in a wait. */
  readonly sleepersWord: number;
  /** Word that tells others what this thread sleeps for; 0 while it does not. */
  readonly waitsWord: number;
  /** A word that is 0 for ever, in place of the words that an actor does not have. */
  readonly zeroWord: number;
  /** Operations performed by kind, and retries: COUNTER_COUNT numbers, of which others read. */
  readonly counters: Float64Array;
  readonly observer: Observer;
  /** First word that the observer is told of. */
  readonly watchedFrom: number;
  /** The next data choice in [0, count). */
  choose(count: number): number;
  /** Handles what is pending. Throws to unwind the actor when the run is over. */
  attention(): void;
}

const nobody: ThreadActor = {
  index: 0,
  controlWord: 0,
  physicalWord: 0,
  upcallWord: 0,
  upcallDeliverable: -1,
  sleepersWord: 0,
  waitsWord: 0,
  zeroWord: 0,
  counters: new Float64Array(COUNTER_COUNT),
  observer: silent,
  watchedFrom: 0x7fffffff,
  choose: () => 0,
  attention() {},
};

export let actor: ThreadActor = nobody;
export let index = 0;
export let observer: Observer = silent;
export let counters: Float64Array = nobody.counters;
export let watchedFrom = 0x7fffffff;
export let zeroWord = 0;
let controlWord = 0;
let physicalWord = 0;
let upcallWord = 0;
let upcallDeliverable = -1;
let sleepersWord = 0;
let waitsWord = 0;

/** Makes this thread an actor. */
export function becomeActor(next: ThreadActor): void {
  actor = next;
  index = next.index;
  observer = next.observer;
  counters = next.counters;
  watchedFrom = next.watchedFrom;
  zeroWord = next.zeroWord;
  controlWord = next.controlWord || zeroWord;
  physicalWord = next.physicalWord || zeroWord;
  upcallWord = next.upcallWord || zeroWord;
  upcallDeliverable = next.upcallWord ? next.upcallDeliverable : -1;
  sleepersWord = next.sleepersWord;
  waitsWord = next.waitsWord;
}

/** Calls the actor's attention if anything is pending. Plain loads: seen at a later point. */
export function attend(): void {
  if (mem[controlWord] !== 0 || mem[physicalWord] !== 0 || mem[upcallWord] === upcallDeliverable) {
    actor.attention();
  }
}

/** Counts an operation. @param kind - of kinds.ts. */
export function tally(kind: number): void {
  counters[kind] = (counters[kind] as number) + 1;
}

/** Wakes those who sleep for `word`; after every store that others may wait for. */
export function wake(word: number): void {
  if (mem[sleepersWord] !== 0) Atomics.notify(mem, word);
}

/**
 * Sleeps until `word` is notified, unless it is no longer `seen`. The sleeper counts itself before
 * it compares and a storer stores before it looks at the count: no wake-up is lost.
 */
export function sleepOn(word: number, seen: number): void {
  mem[waitsWord] = word;
  Atomics.add(mem, sleepersWord, 1);
  Atomics.wait(mem, word, seen, SLEEP_MS);
  Atomics.sub(mem, sleepersWord, 1);
}

/** The wait that slept is over. */
export function sleptEnough(): void {
  mem[waitsWord] = 0;
}
