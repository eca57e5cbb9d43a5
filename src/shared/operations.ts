/**
 * The operations on shared memory: the only points at which another actor can run. Simulated code
 * calls them with `yield*`. This is the fibers edition: every operation asks the engine first and
 * suspends only if another actor was chosen. The build replaces the module by
 * operations.threads.ts (Atomics) or operations.lockstep.ts (Atomics in a recorded order) and
 * removes `yield*`; for dist/fibers it puts the two engine calls in place of each operation.
 *
 * Ordering: Linux's names and Linux's meaning. read/write are plain C accesses; readOnce and
 * writeOnce are relaxed; read-modify-write operations that return a value are full barriers.
 */
import type { Engine } from './engine.ts';
import { SoloEngine } from './engine.ts';
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
import { peekLocal, pokeLocal } from './memory.ts';
import type { Op } from './op.ts';

/** The engine of this thread; exported for the code that the build puts in place of operations. */
export let engine: Engine = new SoloEngine();

/** Installs the engine that decides from now on. @returns the one before. */
export function installEngine(next: Engine): Engine {
  const before = engine;
  engine = next;
  return before;
}

/**
 * Runs one simulated function alone to its end.
 * @param solo - another engine than the usual one, e.g. with an observer. @returns its result.
 */
export function runAlone<T>(op: Op<T>, solo: SoloEngine = new SoloEngine()): T {
  const before = installEngine(solo);
  try {
    return finish(op);
  } finally {
    installEngine(before);
  }
}

/** Drives a simulated function that must not suspend under the installed engine. */
export function finish<T>(op: Op<T>): T {
  const step = op.next();
  if (step.done !== true) throw new Error('an actor that runs alone was suspended');
  return step.value;
}

/** Plain C load: the compiler may merge it, so never for a flag or a re-check. */
export function* read(word: number): Op {
  if (engine.begin(READ, word, 0, 0, 0)) yield;
  return engine.perform();
}

/** Plain C store: for words that a lock or publication protects. */
export function* write(word: number, value: number): Op<void> {
  if (engine.begin(WRITE, word, value, 0, 0)) yield;
  engine.perform();
}

/** READ_ONCE(). */
export function* readOnce(word: number): Op {
  if (engine.begin(READ_ONCE, word, 0, 0, 0)) yield;
  return engine.perform();
}

/** WRITE_ONCE(). */
export function* writeOnce(word: number, value: number): Op<void> {
  if (engine.begin(WRITE_ONCE, word, value, 0, 0)) yield;
  engine.perform();
}

/** smp_load_acquire(): later accesses stay behind it. */
export function* loadAcquire(word: number): Op {
  if (engine.begin(LOAD_ACQUIRE, word, 0, 0, 0)) yield;
  return engine.perform();
}

/** smp_store_release(): earlier accesses stay before it. */
export function* storeRelease(word: number, value: number): Op<void> {
  if (engine.begin(STORE_RELEASE, word, value, 0, 0)) yield;
  engine.perform();
}

/** cmpxchg(): stores `value` if the word is `expected`. @returns the value before. */
export function* cmpxchg(word: number, expected: number, value: number): Op {
  if (engine.begin(CMPXCHG, word, expected, value, 0)) yield;
  return engine.perform();
}

/** xchg(). @returns the value before. */
export function* xchg(word: number, value: number): Op {
  if (engine.begin(XCHG, word, value, 0, 0)) yield;
  return engine.perform();
}

/** Atomic add, wrapping at 32 bits. @returns the value before. */
export function* fetchAdd(word: number, delta: number): Op {
  if (engine.begin(FETCH_ADD, word, delta, 0, 0)) yield;
  return engine.perform();
}

/** Atomic and. @returns the value before. */
export function* fetchAnd(word: number, mask: number): Op {
  if (engine.begin(FETCH_AND, word, mask, 0, 0)) yield;
  return engine.perform();
}

/** Atomic or. @returns the value before. */
export function* fetchOr(word: number, bits: number): Op {
  if (engine.begin(FETCH_OR, word, bits, 0, 0)) yield;
  return engine.perform();
}

/** smp_mb(): full barrier. */
export function* smpMb(): Op<void> {
  if (engine.begin(SMP_MB, 0, 0, 0, 0)) yield;
  engine.perform();
}

/** smp_wmb(): earlier stores become visible before later ones. */
export function* smpWmb(): Op<void> {
  if (engine.begin(SMP_WMB, 0, 0, 0, 0)) yield;
  engine.perform();
}

/** smp_rmb(): earlier loads happen before later ones. */
export function* smpRmb(): Op<void> {
  if (engine.begin(SMP_RMB, 0, 0, 0, 0)) yield;
  engine.perform();
}

/**
 * Spins until (word & mask) === want; acquire. In fibers it is an operation that is enabled only
 * then. @returns the whole word.
 */
export function* awaitEqual(word: number, mask: number, want: number): Op {
  if (engine.begin(AWAIT_EQUAL, word, mask, want, 0)) yield;
  return engine.perform();
}

/** Spins until (word & mask) !== unwanted; acquire. @returns the whole word. */
export function* awaitNotEqual(word: number, mask: number, unwanted: number): Op {
  if (engine.begin(AWAIT_NOT_EQUAL, word, mask, unwanted, 0)) yield;
  return engine.perform();
}

/**
 * When (word & mask) === want, atomically adds `delta`: the compare-and-swap loop of a lock,
 * enabled only when it would succeed. @returns the value before.
 */
export function* acquireWhen(word: number, mask: number, want: number, delta: number): Op {
  if (engine.begin(ACQUIRE_WHEN, word, mask, want, delta)) yield;
  return engine.perform();
}

/**
 * A load by an instruction whose address was translated earlier: it retires only if `guard` still
 * holds `expected`. @returns the value, or LOST.
 */
export function* loadThrough(guard: number, expected: number, word: number): Op {
  if (engine.begin(LOAD_THROUGH, word, 0, guard, expected)) yield;
  return engine.perform();
}

/** The store to go with loadThrough. @returns 0, or LOST. */
export function* storeThrough(guard: number, expected: number, word: number, value: number): Op {
  if (engine.begin(STORE_THROUGH, word, value, guard, expected)) yield;
  return engine.perform();
}

/** cpu_relax(): a point without an effect. */
export function* cpuRelax(): Op<void> {
  if (engine.begin(RELAX, 0, 0, 0, 0)) yield;
  engine.perform();
}

/** A choice of data by workload or schedule. @returns a number in [0, count). */
export function* choose(count: number): Op {
  if (engine.begin(CHOOSE, 0, count, 0, 0)) yield;
  return engine.perform();
}

/** Loads a word that only this actor writes and nobody else reads: no point. */
export function readLocal(word: number): number {
  return peekLocal(word);
}

/** Stores a word that only this actor uses: registers, hypercall scratch, boot parameters. */
export function writeLocal(word: number, value: number): void {
  pokeLocal(word, value);
}

/** A kernel tracepoint; no point and no effect on the machine. */
export function trace(point: number, a: number, b: number, c: number): void {
  engine.observer.trace(engine.actor, point, a, b, c);
}

/** BUG_ON(), WARN_ON(): reports `id` if `condition` holds, and goes on as a release build does. */
export function warnOn(condition: boolean, id: number, a: number, b: number): void {
  if (condition) engine.observer.bug(engine.actor, id, a, b);
}
