/**
 * The lockstep edition of operations.ts: the stripped code runs on real worker threads, and every
 * operation waits until the recorded schedule names its actor (turn.ts).
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
import { index, observer, perform } from './turn.ts';

export function read(word: number): number {
  return perform(READ, word, 0, 0, 0);
}

export function write(word: number, value: number): void {
  perform(WRITE, word, value, 0, 0);
}

export function readOnce(word: number): number {
  return perform(READ_ONCE, word, 0, 0, 0);
}

export function writeOnce(word: number, value: number): void {
  perform(WRITE_ONCE, word, value, 0, 0);
}

export function loadAcquire(word: number): number {
  return perform(LOAD_ACQUIRE, word, 0, 0, 0);
}

export function storeRelease(word: number, value: number): void {
  perform(STORE_RELEASE, word, value, 0, 0);
}

export function cmpxchg(word: number, expected: number, value: number): number {
  return perform(CMPXCHG, word, expected, value, 0);
}

export function xchg(word: number, value: number): number {
  return perform(XCHG, word, value, 0, 0);
}

export function fetchAdd(word: number, delta: number): number {
  return perform(FETCH_ADD, word, delta, 0, 0);
}

export function fetchAnd(word: number, mask: number): number {
  return perform(FETCH_AND, word, mask, 0, 0);
}

export function fetchOr(word: number, bits: number): number {
  return perform(FETCH_OR, word, bits, 0, 0);
}

export function smpMb(): void {
  perform(SMP_MB, 0, 0, 0, 0);
}

export function smpWmb(): void {
  perform(SMP_WMB, 0, 0, 0, 0);
}

export function smpRmb(): void {
  perform(SMP_RMB, 0, 0, 0, 0);
}

export function awaitEqual(word: number, mask: number, want: number): number {
  return perform(AWAIT_EQUAL, word, mask, want, 0);
}

export function awaitNotEqual(word: number, mask: number, unwanted: number): number {
  return perform(AWAIT_NOT_EQUAL, word, mask, unwanted, 0);
}

export function acquireWhen(word: number, mask: number, want: number, delta: number): number {
  return perform(ACQUIRE_WHEN, word, mask, want, delta);
}

export function loadThrough(guard: number, expected: number, word: number): number {
  return perform(LOAD_THROUGH, word, 0, guard, expected);
}

export function storeThrough(guard: number, expected: number, word: number, value: number): number {
  return perform(STORE_THROUGH, word, value, guard, expected);
}

export function cpuRelax(): void {
  perform(RELAX, 0, 0, 0, 0);
}

export function choose(count: number): number {
  return perform(CHOOSE, 0, count, 0, 0);
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
