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

/**
 * Tries of a wait before it sleeps. Where there are more threads than cores, more only burn the
 * core of the one that is waited for; where each has its own, a sleep costs as much as thousands.
 */
export const SPIN_LIMIT_SHARED = 100;
export const SPIN_LIMIT_ALONE = 2000;
/** Longest sleep before a wait looks again by itself: plain C stores wake nobody. */
export const SLEEP_MS = 1;

/** Counters of sleepers: a word counts in the one that its low bits name. Power of two. */
export const SLEEPER_SLOTS = 256;

/** What the thread is in: nothing, its upcall handler, or a handler that nothing interrupts. */
const UPCALL = 1;
const PHYSICAL = 2;

/** A thread is not asleep. */
const AWAKE = 0;
/** A thread sleeps in a wait. */
const ASLEEP = 1;
/** A thread sleeps, and another one runs its interrupt handlers. */
const SERVED = 2;

/** The interrupts of an actor: which words raise them and what handles them. */
export interface InterruptLines {
  /** Word that is non-zero when a physical interrupt is pending; 0 if there is none ever. */
  readonly physicalWord: number;
  /** Word of the upcall, deliverable iff it equals `upcallDeliverable`; 0 if there is none. */
  readonly upcallWord: number;
  readonly upcallDeliverable: number;
  /** Handle what is pending. A handler that is entered twice returns at once. */
  physical(): void;
  upcall(): void;
}

/** Who this thread is: the words that interrupt it, what runs then, and who watches. */
export interface ThreadActor {
  /** Index in the list of actors of the run. */
  readonly index: number;
  /** Word that is non-zero when the controller wants something (pause, checkpoint, stop). */
  readonly controlWord: number;
  /** The interrupts of all actors of the run, by index. */
  readonly lines: readonly InterruptLines[];
  /** Word of each actor that says whether it sleeps, by index. */
  readonly sleepWords: readonly number[];
  /** First of SLEEPER_SLOTS counters of threads that sleep for a word. */
  readonly sleepersWord: number;
  /** Word that tells others what this thread waits for; 0 while it does not. */
  readonly waitsWord: number;
  /** A word of this thread's own cache line, on which a barrier is a locked operation. */
  readonly fenceWord: number;
  /** A word that is 0 for ever, in place of the words that an actor does not have. */
  readonly zeroWord: number;
  /** Operations performed by kind, and retries: COUNTER_COUNT numbers, of which others read. */
  readonly counters: Float64Array;
  readonly observer: Observer;
  /** First word that the observer is told of. */
  readonly watchedFrom: number;
  /** The next data choice in [0, count). */
  choose(count: number): number;
  /** Does what the controller wants. Throws to unwind the actor when the run is over. */
  obey(): void;
}

const noLines: InterruptLines = {
  physicalWord: 0,
  upcallWord: 0,
  upcallDeliverable: -1,
  physical() {},
  upcall() {},
};

/** The index of the actor on whose behalf this thread acts; another's in its handlers. */
export let index = 0;
export let observer: Observer = silent;
export let counters: Float64Array = new Float64Array(COUNTER_COUNT);
export let watchedFrom = 0x7fffffff;
export let fenceWord = 0;
let zeroWord = 0;
let self = 0;
let obey: () => void = () => {};
let chooseData: (count: number) => number = () => 0;
let ownLines: InterruptLines = noLines;
let allLines: readonly InterruptLines[] = [];
let sleepWords: readonly number[] = [];
/** 1 + the actor that a word interrupts, 0 for other words; as long as the last such word. */
let interrupted: Uint8Array = new Uint8Array(0);
let controlWord = 0;
let physicalWord = 0;
let upcallWord = 0;
let upcallDeliverable = -1;
let sleepersWord = 0;
let sleepWord = 0;
let waitsWord = 0;
let level = 0;
export let spinLimit = SPIN_LIMIT_SHARED;

/** Makes this thread an actor. */
export function becomeActor(next: ThreadActor): void {
  self = next.index;
  index = next.index;
  observer = next.observer;
  counters = next.counters;
  watchedFrom = next.watchedFrom;
  fenceWord = next.fenceWord;
  zeroWord = next.zeroWord;
  obey = () => next.obey();
  chooseData = (count) => next.choose(count);
  allLines = next.lines;
  sleepWords = next.sleepWords;
  ownLines = allLines[self] ?? noLines;
  interrupted = wordsThatInterrupt(allLines);
  controlWord = next.controlWord;
  physicalWord = ownLines.physicalWord || zeroWord;
  upcallWord = ownLines.upcallWord || zeroWord;
  upcallDeliverable = ownLines.upcallWord ? ownLines.upcallDeliverable : -1;
  sleepersWord = next.sleepersWord;
  sleepWord = sleepWords[self] as number;
  waitsWord = next.waitsWord;
}

/** Says whether every thread that runs has a core of its own. */
export function ownCore(alone: boolean): void {
  spinLimit = alone ? SPIN_LIMIT_ALONE : SPIN_LIMIT_SHARED;
}

function wordsThatInterrupt(lines: readonly InterruptLines[]): Uint8Array {
  const last = Math.max(0, ...lines.flatMap((line) => [line.physicalWord, line.upcallWord]));
  const words = new Uint8Array(last + 1);
  lines.forEach((line, i) => {
    words[line.physicalWord] = i + 1;
    words[line.upcallWord] = i + 1;
  });
  words[0] = 0;
  return words;
}

/** Looks at what asks for this actor. Plain loads: seen at a later point at the latest. */
export function attend(): void {
  if (mem[controlWord] !== 0 || mem[physicalWord] !== 0 || mem[upcallWord] === upcallDeliverable) {
    attention();
  }
}

function attention(): void {
  obey();
  if (level < PHYSICAL && mem[physicalWord] !== 0) handle(PHYSICAL);
  if (level < UPCALL && mem[upcallWord] === upcallDeliverable) handle(UPCALL);
}

/** Runs one of this actor's interrupt handlers, nested in what it does. */
function handle(what: number): void {
  const outer = level;
  level = what;
  if (what === PHYSICAL) ownLines.physical();
  else ownLines.upcall();
  level = outer;
}

/** Runs the interrupt handlers of a sleeper in its name. This thread's own wait meanwhile. */
function handleFor(sleeper: number): void {
  const lines = allLines[sleeper] as InterruptLines;
  const outer = level;
  level = PHYSICAL;
  index = sleeper;
  if (lines.physicalWord !== 0 && mem[lines.physicalWord] !== 0) lines.physical();
  if (lines.upcallWord !== 0 && mem[lines.upcallWord] === lines.upcallDeliverable) lines.upcall();
  index = self;
  level = outer;
}

/** Counts an operation. @param kind - of kinds.ts. */
export function tally(kind: number): void {
  counters[kind] = (counters[kind] as number) + 1;
}

/** A choice of data. */
export function chosen(count: number): number {
  return chooseData(count);
}

/** After every store that others may wait for, or that interrupts them. */
export function wake(word: number): void {
  if (mem[sleepersWord + (word & (SLEEPER_SLOTS - 1))] !== 0) Atomics.notify(mem, word);
  if (word < interrupted.length && interrupted[word] !== 0)
    raise((interrupted[word] as number) - 1);
}

/**
 * An interrupt for an actor that sleeps is handled by the thread that raised it: a switch of
 * threads costs as much as thousands of operations. The sleeper stands between two operations of
 * a wait, where its own thread would handle it, and does not wake up meanwhile.
 */
function raise(target: number): void {
  if (target === self) return;
  const word = sleepWords[target] as number;
  // While this thread acts for a sleeper, what that one's handlers raise waits for its target.
  if (index !== self) return;
  if (Atomics.compareExchange(mem, word, ASLEEP, SERVED) !== ASLEEP) return;
  handleFor(target);
  Atomics.store(mem, word, ASLEEP);
  Atomics.notify(mem, word);
}

/**
 * Sleeps until `word` is notified, unless it is no longer `seen`. The sleeper counts itself before
 * it compares, and a storer stores before it looks at the count: no wake-up is lost. In the same
 * way no interrupt is: either its sender sees the sleeper, or the sleeper sees the interrupt.
 */
export function sleepOn(word: number, seen: number): void {
  const sleepers = sleepersWord + (word & (SLEEPER_SLOTS - 1));
  mem[waitsWord] = word;
  Atomics.store(mem, sleepWord, ASLEEP);
  if (!isAskedFor()) {
    Atomics.add(mem, sleepers, 1);
    Atomics.wait(mem, word, seen, SLEEP_MS);
    Atomics.sub(mem, sleepers, 1);
  }
  comeBack();
}

/**
 * Leaves simulated code between two operations, for as long as the thread likes: whoever raises an
 * interrupt for this actor handles it, as while it sleeps.
 */
export function stepOut(): void {
  for (;;) {
    Atomics.store(mem, sleepWord, ASLEEP);
    if (!isAskedFor()) return;
    comeBack();
    attention();
  }
}

/** Comes back to simulated code after stepOut or a sleep, once nobody acts for this actor. */
export function comeBack(): void {
  for (;;) {
    const state = Atomics.compareExchange(mem, sleepWord, ASLEEP, AWAKE);
    if (state === ASLEEP) return;
    Atomics.wait(mem, sleepWord, state, SLEEP_MS);
  }
}

function isAskedFor(): boolean {
  return (
    Atomics.load(mem, controlWord) !== 0 ||
    Atomics.load(mem, physicalWord) !== 0 ||
    Atomics.load(mem, upcallWord) === upcallDeliverable
  );
}

/** The wait that slept is over. */
export function sleptEnough(): void {
  mem[waitsWord] = 0;
}
