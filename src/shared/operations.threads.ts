/**
 * The threads edition of operations.ts: real Atomics on the machine's SharedArrayBuffer. Every
 * operation first looks at the words that ask for this vCPU's attention (processor.ts).
 *
 * Waits spin a little and then sleep in Atomics.wait on the awaited word. A sleeper says so in
 * `sleepers`, and whoever stores a marked word while anybody sleeps notifies that word.
 *
 * An operation counts once its turn has come; a wait counts when it begins, so the counter of a
 * waiting actor stands still and its `waits` word says what for.
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
import {
  RETRIES,
  attend,
  chosen,
  fenceWord,
  index,
  observer,
  sleepOn,
  sleptEnough,
  spinLimit,
  tally,
  wake,
  watchedFrom,
} from './processor.ts';

export function read(word: number): number {
  attend();
  tally(READ);
  const value = mem[word] as number;
  if (word >= watchedFrom) observer.access(index, READ, word, value, value);
  return value;
}

export function write(word: number, value: number): void {
  attend();
  tally(WRITE);
  const before = mem[word] as number;
  mem[word] = value;
  if (word >= watchedFrom) observer.access(index, WRITE, word, before, value);
}

export function readOnce(word: number): number {
  attend();
  tally(READ_ONCE);
  const value = Atomics.load(mem, word);
  if (word >= watchedFrom) observer.access(index, READ_ONCE, word, value, value);
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
  if (word >= watchedFrom) observer.access(index, LOAD_ACQUIRE, word, value, value);
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
    observer.access(index, kind, word, before, value);
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
    observer.access(index, CMPXCHG, word, before, before === expected ? value : before);
  }
  if (before === expected) wake(word);
  else tally(RETRIES);
  return before;
}

export function xchg(word: number, value: number): number {
  attend();
  tally(XCHG);
  const before = Atomics.exchange(mem, word, value);
  if (word >= watchedFrom) observer.access(index, XCHG, word, before, value);
  wake(word);
  return before;
}

export function fetchAdd(word: number, delta: number): number {
  attend();
  tally(FETCH_ADD);
  const before = Atomics.add(mem, word, delta);
  if (word >= watchedFrom) observer.access(index, FETCH_ADD, word, before, (before + delta) | 0);
  wake(word);
  return before;
}

export function fetchAnd(word: number, mask: number): number {
  attend();
  tally(FETCH_AND);
  const before = Atomics.and(mem, word, mask);
  if (word >= watchedFrom) observer.access(index, FETCH_AND, word, before, before & mask);
  wake(word);
  return before;
}

export function fetchOr(word: number, bits: number): number {
  attend();
  tally(FETCH_OR);
  const before = Atomics.or(mem, word, bits);
  if (word >= watchedFrom) observer.access(index, FETCH_OR, word, before, before | bits);
  wake(word);
  return before;
}

/** Atomics are sequentially consistent; a locked operation on a private word orders the rest. */
export function smpMb(): void {
  attend();
  tally(SMP_MB);
  Atomics.add(mem, fenceWord, 0);
}

export function smpWmb(): void {
  attend();
  tally(SMP_WMB);
  Atomics.add(mem, fenceWord, 0);
}

export function smpRmb(): void {
  attend();
  tally(SMP_RMB);
  Atomics.add(mem, fenceWord, 0);
}

export function awaitEqual(word: number, mask: number, want: number): number {
  attend();
  tally(AWAIT_EQUAL);
  for (let spins = 0; ; spins++) {
    const value = Atomics.load(mem, word);
    if ((value & mask) === want) return waited(AWAIT_EQUAL, word, value, spins);
    if (spins >= spinLimit) sleepOn(word, value);
    attend();
  }
}

export function awaitNotEqual(word: number, mask: number, unwanted: number): number {
  attend();
  tally(AWAIT_NOT_EQUAL);
  for (let spins = 0; ; spins++) {
    const value = Atomics.load(mem, word);
    if ((value & mask) !== unwanted) return waited(AWAIT_NOT_EQUAL, word, value, spins);
    if (spins >= spinLimit) sleepOn(word, value);
    attend();
  }
}

function waited(kind: number, word: number, value: number, spins: number): number {
  if (spins > spinLimit) sleptEnough();
  if (word >= watchedFrom) observer.access(index, kind, word, value, value);
  return value;
}

export function acquireWhen(word: number, mask: number, want: number, delta: number): number {
  attend();
  tally(ACQUIRE_WHEN);
  for (let spins = 0; ; spins++) {
    const value = Atomics.load(mem, word);
    if ((value & mask) === want) {
      const next = (value + delta) | 0;
      if (Atomics.compareExchange(mem, word, value, next) === value) {
        if (spins > spinLimit) sleptEnough();
        if (word >= watchedFrom) observer.access(index, ACQUIRE_WHEN, word, value, next);
        wake(word);
        return value;
      }
      tally(RETRIES);
    } else if (spins >= spinLimit) {
      sleepOn(word, value);
    }
    attend();
  }
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
  if (word >= watchedFrom) observer.access(index, LOAD_THROUGH, word, value, value);
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
  return chosen(count);
}

/** In the stripped editions a call has already run when its result arrives here. */
export function runAlone<T>(result: T, _solo?: unknown): T {
  return result;
}

export function readLocal(word: number): number {
  return mem[word] as number;
}

export function writeLocal(word: number, value: number): void {
  mem[word] = value;
}

export function trace(point: number, a: number, b: number, c: number): void {
  observer.trace(index, point, a, b, c);
}

export function warnOn(condition: boolean, id: number, a: number, b: number): void {
  if (condition) observer.bug(index, id, a, b);
}
