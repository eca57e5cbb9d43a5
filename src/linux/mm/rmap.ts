/**
 * How often a page is mapped, and by whom it may be written (mm/rmap.c, include/linux/rmap.h).
 * Callers hold the lock of the page table whose entry they change.
 *
 * mapcount           entries that map the page, of normal pages only: an entry of a grant counts
 *                    nowhere, until fork copies it
 * PG_anon_exclusive  an anonymous page belongs to one entry alone: set when the page is new, and
 *                    when a store finds that nobody else uses it; cleared when fork shares it
 */
import type { Op } from '../../shared/op.ts';
import {
  fetchAdd,
  fetchAnd,
  fetchOr,
  read,
  readOnce,
  warnOn,
  writeLocal,
} from '../../shared/operations.ts';
import { BUG_BAD_RMAP } from './bugs.ts';
import { MMF_HAS_PINNED, Mm } from './mm.ts';
import { GUP_PIN_COUNTING_BIAS, PG_anon, PG_anon_exclusive, Page } from './page.ts';
import { Vma } from './vma.ts';

/** mm/rmap.c: folio_remove_rmap_pte(). @param pg - page with one mapping less. */
export function* pageRemoveRmap(pg: number): Op<void> {
  const before = yield* fetchAdd(Page.mapcount.at(pg), -1);
  warnOn(before <= 0, BUG_BAD_RMAP, pg, before);
}

/**
 * mm/rmap.c: folio_add_file_rmap_pte(), folio_dup_file_rmap_pte()
 * @param pg - mapped once more.
 */
export function* pageAddRmap(pg: number): Op<void> {
  yield* fetchAdd(Page.mapcount.at(pg), 1);
}

/**
 * mm/rmap.c: folio_add_new_anon_rmap().
 * @param pg - new page, which no entry names yet: nobody else looks at its flags.
 */
export function* pageAddNewAnonRmap(pg: number): Op<void> {
  writeLocal(Page.flags.at(pg), PG_anon | PG_anon_exclusive);
  yield* pageAddRmap(pg);
}

/** mm/rmap.c: folio_move_anon_rmap(): a page that others had is one entry's alone. */
export function* pageMoveAnonRmap(pg: number): Op<void> {
  yield* fetchOr(Page.flags.at(pg), PG_anon_exclusive);
}

/** include/linux/mm.h: folio_maybe_dma_pinned(). @returns 1 or 0. */
function* pageMaybeDmaPinned(pg: number): Op {
  return (yield* readOnce(Page.refcount.at(pg))) >= GUP_PIN_COUNTING_BIAS ? 1 : 0;
}

/** include/linux/mm.h: folio_needs_cow_for_dma(). Inside writeProtectSeq. @returns 1 or 0. */
function* pageNeedsCowForDma(vma: number, pg: number): Op {
  const mm = yield* read(Vma.mm.at(vma));
  if (((yield* readOnce(Mm.flags.at(mm))) & MMF_HAS_PINNED) === 0) return 0;
  return yield* pageMaybeDmaPinned(pg);
}

/**
 * include/linux/rmap.h: folio_try_dup_anon_rmap_pte(): fork shares an anonymous page.
 * @param vma - VMA of the parent. @returns 1, or 0 if the page may be pinned: it stays the
 * parent's.
 */
export function* pageTryDupAnonRmap(vma: number, pg: number): Op {
  if (((yield* readOnce(Page.flags.at(pg))) & PG_anon_exclusive) !== 0) {
    if ((yield* pageNeedsCowForDma(vma, pg)) === 1) return 0;
    yield* fetchAnd(Page.flags.at(pg), ~PG_anon_exclusive);
  }
  yield* pageAddRmap(pg);
  return 1;
}
