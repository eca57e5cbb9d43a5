/* src/linux/designs/m2p-override.ts: the hash from a foreign frame to its page. */
#ifndef M2P_OVERRIDE_H
#define M2P_OVERRIDE_H

#include "gup-fast.h"

#define HASH_SHIFT 10
#define BUCKETS (1 << HASH_SHIFT)
#define GOLDEN_RATIO_PRIME_32 0x9e370001u
#define BUCKET_STRIDE 2
#define LOCK_STRIDE 16
#define LRU_STRIDE 2

ALWAYS_INLINE int32_t m2p_find_override(const struct machine *m, int32_t mfn, bool bucket_locks) {
  uint32_t hash = (uint32_t)mfn * GOLDEN_RATIO_PRIME_32 >> (32 - HASH_SHIFT);
  word_t bucket = m->at.override_bucket + hash * BUCKET_STRIDE;
  word_t lock =
      bucket_locks ? m->at.override_bucket_lock + hash * LOCK_STRIDE : m->at.override_lock;
  int32_t found = NO_PAGE;
  int32_t irq = local_irq_save(m);
  spin_lock(m, lock);
  word_t node = read_once(m, bucket);
  while (node != bucket && found == NO_PAGE) {
    int32_t page = (int32_t)(node - m->at.page_lru) / LRU_STRIDE;
    if (read_once(m, m->at.page_private + page * PAGE_STRIDE) == mfn) found = page;
    node = read_once(m, node);
  }
  spin_unlock(m, lock);
  local_irq_restore(m, irq);
  return found;
}

/* bench/loops/find.ts: findOverrides() */
ALWAYS_INLINE int32_t find_overrides(const struct machine *m, word_t keys, int32_t count,
                                     bool bucket_locks) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < count; i++) {
    int32_t mfn = read_once(m, keys + i);
    int32_t pfn = mfn_to_pfn_no_overrides(m, mfn);
    bool own = get_phys_to_machine(m, pfn) == mfn;
    sum += own ? page_of(m, pfn) : m2p_find_override(m, mfn, bucket_locks);
  }
  return (int32_t)sum;
}

#endif
