/*
 * src/linux/designs/page-behind-address.ts: the page array of a VMA, the VMA found in the three
 * ways without mmap_lock. A copy that nobody writes never gives up to mmap_lock: that is counted.
 */
#ifndef VMA_PAGES_H
#define VMA_PAGES_H

#include "translate.h"

#define NO_VMA (-1)
#define VMA_STRIDE 16
#define SLOT_STRIDE 3
#define SLOT_END 1
#define SLOT_VMA 2
#define PAGE_ARRAY_STRIDE 16
#define VM_REFCNT_EXCLUDE (1 << 30)

COLD int32_t vma_page_locked(void) {
  bug();
  return NO_PAGE;
}

/* src/linux/mm/vma-tree.ts: vmaLookup() */
ALWAYS_INLINE int32_t vma_lookup(const struct machine *m, int32_t vpn) {
  int32_t node = load_acquire(m, m->at.mm_vma_node);
  word_t slots = m->at.vma_slot_start + node * m->at.vma_slot_outer;
  int32_t count = read_once(m, m->at.vma_node_count + node);
  int32_t from = 0, to = count;
  while (from < to) {
    int32_t middle = (from + to) >> 1;
    if (read_once(m, slots + middle * SLOT_STRIDE + SLOT_END) > vpn) to = middle;
    else from = middle + 1;
  }
  if (from == count) return NO_VMA;
  word_t slot = slots + from * SLOT_STRIDE;
  if (read_once(m, slot) > vpn) return NO_VMA;
  return read_once(m, slot + SLOT_VMA);
}

/* vmaPageSpeculative() */
ALWAYS_INLINE int32_t vma_page_speculative(const struct machine *m, int32_t vpn) {
  int32_t page = NO_PAGE;
  rcu_read_lock(m);
  int32_t seq = load_acquire(m, m->at.mm_lock_seq);
  bool retry = seq & 1;
  if (!retry) {
    int32_t vma = vma_lookup(m, vpn);
    if (vma != NO_VMA) {
      int32_t pages = read_once(m, m->at.vma_pages + vma * VMA_STRIDE);
      if (pages >= 0) {
        int32_t index = vpn - read_once(m, m->at.vma_start + vma * VMA_STRIDE);
        page = read_once(m, pages + index);
      }
    }
    smp_rmb();
    retry = read_once(m, m->at.mm_lock_seq) != seq;
  }
  rcu_read_unlock(m);
  return __builtin_expect(retry, 0) ? vma_page_locked() : page;
}

/* pageOfSlot() */
ALWAYS_INLINE int32_t page_of_slot(const struct machine *m, int32_t vma, int32_t vpn) {
  int32_t pages = read_once(m, m->at.vma_pages + vma * VMA_STRIDE);
  if (pages < 0) return NO_PAGE;
  int32_t array = (pages - (int32_t)m->at.page_slot) / (int32_t)m->at.page_slot_outer;
  int32_t index = vpn - read_once(m, m->at.page_array_start + array * PAGE_ARRAY_STRIDE);
  if (index < 0 || index >= read_once(m, m->at.page_array_count + array * PAGE_ARRAY_STRIDE))
    return NO_PAGE;
  return read_once(m, m->at.page_slot + array * m->at.page_slot_outer + index);
}

/* src/linux/mm/vma-lock.ts: vmaRefcountPut() */
ALWAYS_INLINE void vma_refcount_put(const struct machine *m, int32_t vma) {
  int32_t before = fetch_add(m, m->at.vma_refcnt + vma * VMA_STRIDE, -1);
  WARN_ON((before & ~VM_REFCNT_EXCLUDE) <= 0);
}

/* vmaStartRead(). @returns whether it is read-locked. */
ALWAYS_INLINE bool vma_start_read(const struct machine *m, int32_t vma) {
  word_t lock_seq = m->at.vma_lock_seq + vma * VMA_STRIDE;
  word_t refcnt = m->at.vma_refcnt + vma * VMA_STRIDE;
  if (read_once(m, lock_seq) == read_once(m, m->at.mm_lock_seq)) return false;
  int32_t old = read_once(m, refcnt);
  do {
    if (old == 0 || (old & VM_REFCNT_EXCLUDE)) return false;
  } while (!cmpxchg(m, refcnt, &old, old + 1));
  if (read_once(m, m->at.vma_mm + vma * VMA_STRIDE) != (int32_t)m->at.mm ||
      load_acquire(m, m->at.mm_lock_seq) == read_once(m, lock_seq)) {
    vma_refcount_put(m, vma);
    return false;
  }
  return true;
}

/* vmaPagePerVmaLock(), with lockVmaUnderRcu() */
ALWAYS_INLINE int32_t vma_page_per_vma_lock(const struct machine *m, int32_t vpn) {
  rcu_read_lock(m);
  int32_t vma = vma_lookup(m, vpn);
  bool locked = vma != NO_VMA && vma_start_read(m, vma);
  rcu_read_unlock(m);
  if (__builtin_expect(!locked, 0)) return vma_page_locked();
  if (vpn < read_once(m, m->at.vma_start + vma * VMA_STRIDE) ||
      vpn >= read_once(m, m->at.vma_end + vma * VMA_STRIDE)) {
    vma_refcount_put(m, vma);
    return vma_page_locked();
  }
  int32_t page = page_of_slot(m, vma, vpn);
  vma_refcount_put(m, vma);
  return page;
}

/* vmaPageUnderRcu() */
ALWAYS_INLINE int32_t vma_page_under_rcu(const struct machine *m, int32_t vpn) {
  rcu_read_lock(m);
  int32_t node = load_acquire(m, m->at.mm_vma_node);
  int32_t vma = vma_lookup(m, vpn);
  int32_t page = vma == NO_VMA ? NO_PAGE : page_of_slot(m, vma, vpn);
  smp_rmb();
  bool same = read_once(m, m->at.mm_vma_node) == node;
  rcu_read_unlock(m);
  return __builtin_expect(same, 1) ? page : vma_page_locked();
}

#endif
