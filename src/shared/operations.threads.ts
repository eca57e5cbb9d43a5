/**
 * The threads edition of operations.ts: real Atomics on the machine's SharedArrayBuffer. Every
 * operation first looks at the words that ask for this vCPU's attention, as a processor looks at
 * its interrupt lines between instructions.
 *
 * Waits spin a little and then sleep in Atomics.wait on the awaited word. A sleeper says so in
 * `sleepers`, and whoever stores a marked word while anybody sleeps notifies that word. The store
 * and the look at `sleepers` are not one step, so a sleeper also wakes by itself after a moment.
 */
import {
  ACQUIRE_WHEN,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  CHOOSE,
  CMPXCHG,
  FETCH_ADD,
  FETCH_AND,
  FETCH_OR,
  KIND_COUNT,
  LOAD_ACQUIRE,
  LOAD_THROUGH,
  LOST,
  READ,
  READ_ONCE,
  RELAX,
  SMP_MB,
  SMP_RMB,
  SMP_WMB,
  STORE_RELEASE,
  STORE_THROUGH,
  WRITE,
  WRITE_ONCE,
  XCHG,
} from './kinds.ts';
import { mem } from './memory.ts';
import type { Observer } from './observer.ts';
import { silent } from './observer.ts';

/** Tries of a wait before it sleeps; more only burns the core of the one that is waited for. */
const SPIN_LIMIT = 200;
/** Longest sleep before a wait looks again by itself. */
const SLEEP_MS = 1;

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
  readonly observer: Observer;
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
  observer: silent,
  watchedFrom: 0x7fffffff,
  choose: () => 0,
  attention() {},
};

let actor: ThreadActor = nobody;
let controlWord = 0;
let physicalWord = 0;
let upcallWord = 0;
let upcallDeliverable = -1;
let sleepersWord = 0;
let watchedFrom = 0x7fffffff;
let idleWord = 0;

/** Operations performed by this thread, by kind. */
export const counts = new Float64Array(KIND_COUNT);

/**
 * Makes this thread an actor. Words that it does not have must point at a word that is always 0:
 * `alwaysZero`.
 */
export function becomeActor(next: ThreadActor, alwaysZero: number): void {
  actor = next;
  idleWord = alwaysZero;
  controlWord = next.controlWord || idleWord;
  physicalWord = next.physicalWord || idleWord;
  upcallWord = next.upcallWord || idleWord;
  upcallDeliverable = next.upcallWord ? next.upcallDeliverable : -1;
  sleepersWord = next.sleepersWord || idleWord;
  watchedFrom = next.watchedFrom;
}

/** Calls the actor's attention if anything is pending. A plain load: seen at a later point. */
function attend(): void {
  if (mem[controlWord] !== 0 || mem[physicalWord] !== 0 || mem[upcallWord] === upcallDeliverable) {
    actor.attention();
  }
}

function wake(word: number): void {
  if (mem[sleepersWord] !== 0) Atomics.notify(mem, word);
}

function tally(kind: number): void {
  counts[kind] = (counts[kind] as number) + 1;
}

export function read(word: number): number {
  attend();
  tally(READ);
  const value = mem[word] as number;
  if (word >= watchedFrom) actor.observer.access(actor.index, READ, word, value, value);
  return value;
}

export function write(word: number, value: number): void {
  attend();
  tally(WRITE);
  const before = mem[word] as number;
  mem[word] = value;
  if (word >= watchedFrom) actor.observer.access(actor.index, WRITE, word, before, value);
}

export function readOnce(word: number): number {
  attend();
  tally(READ_ONCE);
  const value = Atomics.load(mem, word);
  if (word >= watchedFrom) actor.observer.access(actor.index, READ_ONCE, word, value, value);
  return value;
}

export function writeOnce(word: number, value: number): void {
  attend();
  tally(WRITE_ONCE);
  store(WRITE_ONCE, word, value);
}

export function loadAcquire(word: number): number {
  attend();
  tally(LOAD_ACQUIRE);
  const value = Atomics.load(mem, word);
  if (word >= watchedFrom) actor.observer.access(actor.index, LOAD_ACQUIRE, word, value, value);
  return value;
}

export function storeRelease(word: number, value: number): void {
  attend();
  tally(STORE_RELEASE);
  store(STORE_RELEASE, word, value);
}

function store(kind: number, word: number, value: number): void {
  if (word >= watchedFrom) {
    const before = Atomics.exchange(mem, word, value);
    actor.observer.access(actor.index, kind, word, before, value);
  } else {
    Atomics.store(mem, word, value);
  }
  wake(word);
}

export function cmpxchg(word: number, expected: number, value: number): number {
  attend();
  tally(CMPXCHG);
  const before = Atomics.compareExchange(mem, word, expected, value);
  if (word >= watchedFrom) {
    actor.observer.access(actor.index, CMPXCHG, word, before, before === expected ? value : before);
  }
  if (before === expected) wake(word);
  return before;
}

export function xchg(word: number, value: number): number {
  attend();
  tally(XCHG);
  const before = Atomics.exchange(mem, word, value);
  if (word >= watchedFrom) actor.observer.access(actor.index, XCHG, word, before, value);
  wake(word);
  return before;
}

export function fetchAdd(word: number, delta: number): number {
  attend();
  tally(FETCH_ADD);
  const before = Atomics.add(mem, word, delta);
  if (word >= watchedFrom)
    actor.observer.access(actor.index, FETCH_ADD, word, before, (before + delta) | 0);
  wake(word);
  return before;
}

export function fetchAnd(word: number, mask: number): number {
  attend();
  tally(FETCH_AND);
  const before = Atomics.and(mem, word, mask);
  if (word >= watchedFrom)
    actor.observer.access(actor.index, FETCH_AND, word, before, before & mask);
  wake(word);
  return before;
}

export function fetchOr(word: number, bits: number): number {
  attend();
  tally(FETCH_OR);
  const before = Atomics.or(mem, word, bits);
  if (word >= watchedFrom)
    actor.observer.access(actor.index, FETCH_OR, word, before, before | bits);
  wake(word);
  return before;
}

/** Atomics are sequentially consistent; a locked operation on a private word orders the rest. */
export function smpMb(): void {
  attend();
  tally(SMP_MB);
  Atomics.add(mem, idleWord, 0);
}

export function smpWmb(): void {
  attend();
  tally(SMP_WMB);
  Atomics.add(mem, idleWord, 0);
}

export function smpRmb(): void {
  attend();
  tally(SMP_RMB);
  Atomics.add(mem, idleWord, 0);
}

export function awaitEqual(word: number, mask: number, want: number): number {
  tally(AWAIT_EQUAL);
  for (let spins = 0; ; spins++) {
    attend();
    const value = Atomics.load(mem, word);
    if ((value & mask) === want) return value;
    if (spins >= SPIN_LIMIT) sleepOn(word, value);
  }
}

export function awaitNotEqual(word: number, mask: number, unwanted: number): number {
  tally(AWAIT_NOT_EQUAL);
  for (let spins = 0; ; spins++) {
    attend();
    const value = Atomics.load(mem, word);
    if ((value & mask) !== unwanted) return value;
    if (spins >= SPIN_LIMIT) sleepOn(word, value);
  }
}

export function acquireWhen(word: number, mask: number, want: number, delta: number): number {
  tally(ACQUIRE_WHEN);
  for (let spins = 0; ; spins++) {
    attend();
    const value = Atomics.load(mem, word);
    if ((value & mask) === want) {
      const before = Atomics.compareExchange(mem, word, value, (value + delta) | 0);
      if (before === value) {
        if (word >= watchedFrom) {
          actor.observer.access(actor.index, ACQUIRE_WHEN, word, before, (before + delta) | 0);
        }
        wake(word);
        return before;
      }
    } else if (spins >= SPIN_LIMIT) {
      sleepOn(word, value);
    }
  }
}

function sleepOn(word: number, seen: number): void {
  Atomics.add(mem, sleepersWord, 1);
  Atomics.wait(mem, word, seen, SLEEP_MS);
  Atomics.sub(mem, sleepersWord, 1);
}

/**
 * The guard is written only by this thread (its own interrupt handler), so after `attend` it
 * cannot change before the access.
 */
export function loadThrough(guard: number, expected: number, word: number): number {
  attend();
  tally(LOAD_THROUGH);
  if (mem[guard] !== expected) return LOST;
  const value = Atomics.load(mem, word);
  if (word >= watchedFrom) actor.observer.access(actor.index, LOAD_THROUGH, word, value, value);
  return value;
}

export function storeThrough(guard: number, expected: number, word: number, value: number): number {
  attend();
  tally(STORE_THROUGH);
  if (mem[guard] !== expected) return LOST;
  store(STORE_THROUGH, word, value);
  return 0;
}

export function cpuRelax(): void {
  attend();
  tally(RELAX);
}

export function choose(count: number): number {
  tally(CHOOSE);
  return actor.choose(count);
}

/** In the stripped editions a call has already run when its result arrives here. */
export function runAlone<T>(result: T): T {
  return result;
}

export function readLocal(word: number): number {
  return mem[word] as number;
}

export function writeLocal(word: number, value: number): void {
  mem[word] = value;
}

export function trace(point: number, a: number, b: number, c: number): void {
  actor.observer.trace(actor.index, point, a, b, c);
}

export function warnOn(condition: boolean, id: number, a: number, b: number): void {
  if (condition) actor.observer.bug(actor.index, id, a, b);
}
