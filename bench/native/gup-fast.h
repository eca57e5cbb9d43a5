/* src/linux/mm/gup-fast.ts: walk, try-get, re-check; then put (src/linux/mm/page.ts). */
#ifndef GUP_FAST_H
#define GUP_FAST_H

#include "translate.h"

#define PTE_PRESENT 1
#define PTE_RW 2
#define PTE_USER 4
#define PTE_SPECIAL 32
#define PTE_MFN_SHIFT 9
#define MFN_MASK ((1 << 23) - 1)
#define PAGE_STRIDE 16

ALWAYS_INLINE int32_t pte_mfn(int32_t pte) { return (pte >> PTE_MFN_SHIFT) & MFN_MASK; }

/* hardware/paging.ts: walkToPte(). @returns the entry's word, or -1. */
ALWAYS_INLINE int32_t walk_to_pte(const struct machine *m, int32_t vpn, int levels, int shift) {
  const int32_t mask = (1 << shift) - 1;
  int32_t table = read_once(m, m->at.mm_root);
  for (int level = levels; level > 1; level--) {
    int32_t index = (vpn >> (shift * (level - 1))) & mask;
    int32_t entry = read_once(m, m->at.pt_word + (table << shift) + index);
    if (!(entry & PTE_PRESENT)) return -1;
    table = pte_mfn(entry);
    if (table >= (int32_t)m->at.pt_frames) return -1;
  }
  return m->at.pt_word + (table << shift) + (vpn & mask);
}

COLD void free_page(void) { bug(); }

ALWAYS_INLINE void put_page(const struct machine *m, int32_t page) {
  int32_t before = fetch_add(m, m->at.page_refcount + page * PAGE_STRIDE, -1);
  WARN_ON(before < 1);
  if (__builtin_expect(before == 1, 0)) free_page();
}

ALWAYS_INLINE bool try_get_page(const struct machine *m, int32_t page) {
  word_t word = m->at.page_refcount + page * PAGE_STRIDE;
  int32_t old = read_once(m, word);
  while (old != 0) {
    if (cmpxchg(m, word, &old, old + 1)) return true;
  }
  return false;
}

/* gupFastPte(). @returns the page with the reference taken, or NO_PAGE. */
ALWAYS_INLINE int32_t gup_fast_entry(const struct machine *m, int32_t ptep, int32_t needed) {
  int32_t pte = read_once(m, ptep);
  if ((pte & needed) != needed) return NO_PAGE;
  if (pte & PTE_SPECIAL) return NO_PAGE;
  int32_t page = page_behind_mfn(m, pte_mfn(pte));
  if (page == NO_PAGE) return NO_PAGE;
  if (!try_get_page(m, page)) return NO_PAGE;
  if (read_once(m, ptep) != pte) {
    put_page(m, page);
    return NO_PAGE;
  }
  return page;
}

/* bench/loops/find.ts: gupFastLookup(), for writing */
ALWAYS_INLINE int32_t gup_fast_pte(const struct machine *m, int32_t vpn, int levels, int shift) {
  int32_t ptep = walk_to_pte(m, vpn, levels, shift);
  return ptep == -1 ? NO_PAGE : gup_fast_entry(m, ptep, PTE_PRESENT | PTE_USER | PTE_RW);
}

/* bench/loops/find.ts: gupFastPages() */
ALWAYS_INLINE int32_t gup_fast_pages(const struct machine *m, word_t keys, int32_t count,
                                     int levels, int shift) {
  uint32_t sum = 0;
  int32_t irq = local_irq_save(m);
  rcu_read_lock(m);
  for (int32_t i = 0; i < count; i++) {
    int32_t page = gup_fast_pte(m, read_once(m, keys + i), levels, shift);
    if (page != NO_PAGE) put_page(m, page);
    sum += page;
  }
  rcu_read_unlock(m);
  local_irq_restore(m, irq);
  return (int32_t)sum;
}

#define RANGE 16

/* gupFast() of a range: one walk for each table. @returns pages taken. */
ALWAYS_INLINE int32_t gup_fast_range(const struct machine *m, int32_t vpn, int levels, int shift,
                                     int32_t *pages) {
  const int32_t needed = PTE_PRESENT | PTE_USER | PTE_RW;
  const int32_t mask = (1 << shift) - 1;
  int32_t got = 0;
  int32_t irq = local_irq_save(m);
  rcu_read_lock(m);
  while (got < RANGE) {
    int32_t ptep = walk_to_pte(m, vpn + got, levels, shift);
    if (ptep == -1) break;
    int32_t left = mask + 1 - ((vpn + got) & mask);
    int32_t end = RANGE - got < left ? RANGE : got + left;
    for (; got < end; got++, ptep++) {
      int32_t page = gup_fast_entry(m, ptep, needed);
      if (page == NO_PAGE) goto out;
      pages[got] = page;
    }
  }
out:
  rcu_read_unlock(m);
  local_irq_restore(m, irq);
  return got;
}

/* bench/loops/find.ts: gupFastRanges() */
ALWAYS_INLINE int32_t gup_fast_ranges(const struct machine *m, word_t keys, int32_t count,
                                      int levels, int shift) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < count; i++) {
    int32_t pages[RANGE];
    int32_t got = gup_fast_range(m, read_once(m, keys + i), levels, shift, pages);
    for (int32_t j = 0; j < got; j++) {
      sum += pages[j];
      put_page(m, pages[j]);
    }
  }
  return (int32_t)sum;
}

#endif
