/* src/linux/mm/p2m.ts, src/xen/m2p.ts: between frames and the pages of one domain. */
#ifndef TRANSLATE_H
#define TRANSLATE_H

#include "machine.h"

#define NO_PAGE (-1)
#define INVALID_P2M_ENTRY (-1)
#define INVALID_PFN (-1)

ALWAYS_INLINE int32_t get_phys_to_machine(const struct machine *m, int32_t pfn) {
  if (pfn < 0 || pfn >= (int32_t)m->at.pages_per_domain) return INVALID_P2M_ENTRY;
  return read_once(m, m->at.p2m + pfn);
}

ALWAYS_INLINE int32_t mfn_to_pfn_no_overrides(const struct machine *m, int32_t mfn) {
  if (mfn < 0 || mfn >= (int32_t)m->at.frames) return INVALID_PFN;
  return read_once(m, m->at.m2p + mfn);
}

ALWAYS_INLINE int32_t page_of(const struct machine *m, int32_t pfn) {
  return m->at.domain * m->at.pages_per_domain + pfn;
}

/* designPageBehindMfn() of every design but m2p-override */
ALWAYS_INLINE int32_t page_behind_mfn(const struct machine *m, int32_t mfn) {
  int32_t pfn = mfn_to_pfn_no_overrides(m, mfn);
  if (pfn == INVALID_PFN) return NO_PAGE;
  if (get_phys_to_machine(m, pfn) != mfn) return NO_PAGE;
  return page_of(m, pfn);
}

#endif
