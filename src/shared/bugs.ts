/**
 * Numbers of the assertions of this room (warnOn): what each means, and its two operands. Other
 * rooms count from their own hundreds.
 */

/** A read-write lock was released that nobody held so. Operands: word, value before. */
export const BUG_RWLOCK_UNBALANCED = 1;
/** A mutex was released that nobody held. Operands: word, value before. */
export const BUG_MUTEX_UNBALANCED = 2;
/** A semaphore was released that nobody held so. Operands: word, value before. */
export const BUG_RWSEM_UNBALANCED = 3;
/** A per-CPU rwlock was misused: taken twice, or released unheld. Operands: vCPU, lock word. */
export const BUG_PERCPU_RWLOCK = 4;
/** A slot was freed that was free. Operands: bitmap word, slot. */
export const BUG_SLAB_DOUBLE_FREE = 5;
/** No room for one more RCU callback or delayed work. Operands: domain, deferred call. */
export const BUG_DEFERRED_FULL = 6;
