/**
 * Numbers of the assertions of this room (warnOn), from 0x100: what each means, and its two
 * operands. Every room counts from a hundred of its own.
 */

/** A read-write lock was released that nobody held so. Operands: word, value before. */
export const BUG_RWLOCK_UNBALANCED = 0x101;
/** A mutex was released that nobody held. Operands: word, value before. */
export const BUG_MUTEX_UNBALANCED = 0x102;
/** A semaphore was released that nobody held so. Operands: word, value before. */
export const BUG_RWSEM_UNBALANCED = 0x103;
/** A per-CPU rwlock was misused: taken twice, or released unheld. Operands: vCPU, lock word. */
export const BUG_PERCPU_RWLOCK = 0x104;
/** A slot was freed that was free. Operands: bitmap word, slot. */
export const BUG_SLAB_DOUBLE_FREE = 0x105;
/** No room for one more RCU callback or delayed work. Operands: domain, deferred call. */
export const BUG_DEFERRED_FULL = 0x106;
