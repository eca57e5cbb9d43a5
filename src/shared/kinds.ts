/**
 * Kinds of shared-memory operations: what a scheduler sees at a point, what a trace records.
 * Operands are (word, a, b, c); the comment of each gives their meaning and the result.
 */

/** Plain C load. Result: the value. Takes part in data-race detection. */
export const READ = 1;
/** Plain C store of a. */
export const WRITE = 2;
/** READ_ONCE(): relaxed atomic load. */
export const READ_ONCE = 3;
/** WRITE_ONCE(): relaxed atomic store of a. */
export const WRITE_ONCE = 4;
/** smp_load_acquire(). */
export const LOAD_ACQUIRE = 5;
/** smp_store_release() of a. */
export const STORE_RELEASE = 6;
/** cmpxchg(word, a, b): if the word is a, it becomes b. Result: the value before. */
export const CMPXCHG = 7;
/** xchg(word, a). Result: the value before. */
export const XCHG = 8;
/** Atomic add of a. Result: the value before. */
export const FETCH_ADD = 9;
/** Atomic and with a. Result: the value before. */
export const FETCH_AND = 10;
/** Atomic or with a. Result: the value before. */
export const FETCH_OR = 11;
/** smp_mb(): full barrier. No word. */
export const SMP_MB = 12;
/** smp_wmb(): earlier stores before later stores. No word. */
export const SMP_WMB = 13;
/** smp_rmb(): earlier loads before later loads. No word. */
export const SMP_RMB = 14;
/** Enabled only when (word & a) === b. Acquire load. Result: the value. */
export const AWAIT_EQUAL = 15;
/** Enabled only when (word & a) !== b. Acquire load. Result: the value. */
export const AWAIT_NOT_EQUAL = 16;
/** Enabled only when (word & a) === b; then atomically word += c. Result: the value before. */
export const ACQUIRE_WHEN = 17;
/** Load that retires only if word b holds c (a cached translation). Result: value or LOST. */
export const LOAD_THROUGH = 18;
/** Store of a that retires only if word b holds c. Result: 0 or LOST. */
export const STORE_THROUGH = 19;
/** cpu_relax(): a point without an effect. */
export const RELAX = 20;
/** A choice of data: result in [0, a). No word. */
export const CHOOSE = 21;

export const KIND_COUNT = 22;

/** Printable names, indexed by kind. */
export const KIND_NAMES: readonly string[] = [
  'none',
  'read',
  'write',
  'read_once',
  'write_once',
  'load_acquire',
  'store_release',
  'cmpxchg',
  'xchg',
  'fetch_add',
  'fetch_and',
  'fetch_or',
  'smp_mb',
  'smp_wmb',
  'smp_rmb',
  'await_equal',
  'await_not_equal',
  'acquire_when',
  'load_through',
  'store_through',
  'cpu_relax',
  'choose',
];

/** Result of LOAD_THROUGH and STORE_THROUGH when the guard changed: below every stored value. */
export const LOST = -0x80000000;
