/*
 * A copy of a machine's memory, and the operations of src/shared/operations.ts on it as C11 has
 * them. Words are named by their index, as there.
 *
 * Ordering, as the kernel has it on x86: READ_ONCE is a relaxed load, smp_load_acquire an acquire
 * load, read-modify-write operations that return a value are sequentially consistent (full
 * barriers), smp_rmb is an acquire fence, which costs no instruction there.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef uint32_t word_t;

/* Where the tables of the machine lie, and its boot parameters: set once, then constant. */
struct layout {
#define PLACE(name) word_t name;
#include "places.h"
#undef PLACE
};

struct machine {
  _Atomic int32_t *words;
  struct layout at;
};

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define COLD static __attribute__((noinline, cold))

ALWAYS_INLINE int32_t read_once(const struct machine *m, word_t word) {
  return atomic_load_explicit(&m->words[word], memory_order_relaxed);
}

ALWAYS_INLINE int32_t load_acquire(const struct machine *m, word_t word) {
  return atomic_load_explicit(&m->words[word], memory_order_acquire);
}

ALWAYS_INLINE int32_t fetch_add(const struct machine *m, word_t word, int32_t delta) {
  return atomic_fetch_add_explicit(&m->words[word], delta, memory_order_seq_cst);
}

/* cmpxchg(): *seen is the expected value before, and what was there afterwards. */
ALWAYS_INLINE bool cmpxchg(const struct machine *m, word_t word, int32_t *seen, int32_t value) {
  return atomic_compare_exchange_strong_explicit(&m->words[word], seen, value,
                                                 memory_order_seq_cst, memory_order_relaxed);
}

ALWAYS_INLINE void smp_rmb(void) { atomic_thread_fence(memory_order_acquire); }

/* Assertions that failed, and ways that a copy which nobody writes never takes. */
extern long bugs;

COLD void bug(void) { bugs++; }

#define WARN_ON(condition)                                                                         \
  do {                                                                                             \
    if (__builtin_expect(condition, 0)) bug();                                                     \
  } while (0)

/* src/hardware/irq.ts */
#define UPCALL_MASK 2

ALWAYS_INLINE int32_t local_irq_save(const struct machine *m) {
  return atomic_fetch_or_explicit(&m->words[m->at.upcall], UPCALL_MASK, memory_order_seq_cst) &
         UPCALL_MASK;
}

ALWAYS_INLINE void local_irq_restore(const struct machine *m, int32_t flags) {
  if (flags == 0)
    atomic_fetch_and_explicit(&m->words[m->at.upcall], ~UPCALL_MASK, memory_order_seq_cst);
}

/* src/shared/rcu.ts */
#define RCU_NESTING_MASK 0xff
#define RCU_GENERATION 0x100

ALWAYS_INLINE void rcu_read_lock(const struct machine *m) { fetch_add(m, m->at.rcu_section, 1); }

ALWAYS_INLINE void rcu_read_unlock(const struct machine *m) {
  bool outermost = (read_once(m, m->at.rcu_section) & RCU_NESTING_MASK) == 1;
  fetch_add(m, m->at.rcu_section, outermost ? RCU_GENERATION - 1 : -1);
}

/* src/shared/spinlock.ts: the ticket lock */
#define TICKET 0x10000
#define OWNER_MASK 0xffff

ALWAYS_INLINE void spin_lock(const struct machine *m, word_t lock) {
  int32_t ticket = (int32_t)((uint32_t)fetch_add(m, lock, TICKET) >> 16);
  while ((load_acquire(m, lock) & OWNER_MASK) != ticket) {
  }
}

ALWAYS_INLINE void spin_unlock(const struct machine *m, word_t lock) {
  bool carry = (read_once(m, lock) & OWNER_MASK) == OWNER_MASK;
  fetch_add(m, lock, carry ? 1 - TICKET : 1);
}

#endif
