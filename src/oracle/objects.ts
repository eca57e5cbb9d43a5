/**
 * I13: an object is not touched after it was freed. The pools whose objects are known by pointers
 * from elsewhere are watched; VMAs are not among them, for their memory keeps its type until a
 * grace period is over, and lookups without locks rely on that (SLAB_TYPESAFE_BY_RCU).
 *
 * Whoever touches an object rightly has a reference of it or holds the lock of the list that it is
 * on, before and after: so an object that is found free at the access was freed too early, also
 * when other threads run meanwhile.
 *
 * Page tables are walked without locks, in an RCU read section, which keeps them from being freed.
 * The hardware's walks are left out: an instruction that a flush overtook starts anew.
 */
import {
  GrantMap,
  GrantMapBitmap,
  Gntdev,
  GntdevBitmap,
} from '../linux/drivers/gntdev/grant-map.ts';
import { domainOf, firstVcpuOf, kernelVcpuOf } from '../hardware/params.ts';
import { P2m } from '../linux/mm/p2m.ts';
import { Page, domainOfPage, pfnOf } from '../linux/mm/page.ts';
import { MmuInterval, MmuIntervalPool } from '../linux/mm/mmu-notifier.ts';
import type { Machine } from '../shared/layout.ts';
import { rcuSectionOf } from '../shared/rcu.ts';
import { M2p } from '../xen/m2p.ts';
import { PageInfo } from '../xen/page-info.ts';
import { rangeOf } from './range.ts';
import { inUse, peek, shadowSet } from './shadow-words.ts';
import { ShadowWalk } from './shadow.ts';
import type { Report } from './violation.ts';
import { USED_AFTER_FREE } from './violation.ts';

/** A pool of objects that is watched. */
export interface WatchedPool {
  readonly from: number;
  readonly to: number;
  readonly stride: number;
  /** First word of the bitmap of objects in use. */
  readonly bitmap: number;
}

/** @param machine - the attached machine. */
export function watchedPools(machine: Machine): readonly WatchedPool[] {
  return [
    { ...rangeOf(machine, MmuInterval), bitmap: MmuIntervalPool.value.at(0) },
    { ...rangeOf(machine, GrantMap), bitmap: GrantMapBitmap.value.at(0) },
    { ...rangeOf(machine, Gntdev), bitmap: GntdevBitmap.value.at(0) },
  ];
}

/** Somebody touched a word of a pool's object. */
export function objectTouched(
  actor: number,
  pool: WatchedPool,
  word: number,
  report: Report,
): void {
  const index = ((word - pool.from) / pool.stride) | 0;
  if (!inUse(pool.bitmap, index)) report(actor, USED_AFTER_FREE, word, 0);
}

/** The page of a frame, as a word of Page.refcount; -1 if the domain has no page for it. */
function refcountOf(d: number, mfn: number): number {
  if (peek(PageInfo.owner.at(mfn)) !== d) return -1;
  const pfn = peek(M2p.value.at(mfn));
  return peek(P2m.value.at2(d, pfn)) === mfn ? Page.refcount.at2(d, pfn) : -1;
}

/**
 * A word of a page table was read: a walk in an RCU read section has got there.
 * @param v - vCPU that read it, -1 for a device. @param mfn - frame of the table.
 */
export function tableRead(
  actor: number,
  v: number,
  mfn: number,
  word: number,
  report: Report,
): void {
  const section = v < 0 ? -1 : rcuSectionOf(v);
  if (section < 0) return;
  shadowSet(ShadowWalk.section.at2(v, mfn), section + 1);
  const refcount = refcountOf(domainOf(v), mfn);
  if (refcount >= 0 && peek(refcount) === 0) report(actor, USED_AFTER_FREE, word, refcount);
}

/** A page goes back to the allocator: nobody may be on it with a walk, if it is a page table. */
export function tableFreed(actor: number, pg: number, report: Report): void {
  const d = domainOfPage(pg);
  const mfn = peek(P2m.value.at2(d, pfnOf(pg)));
  if (mfn < 0 || mfn >= ShadowWalk.section.count) return;
  for (let v = firstVcpuOf(d); v <= kernelVcpuOf(d); v++) {
    const section = rcuSectionOf(v);
    const walk = ShadowWalk.section.at2(v, mfn);
    if (section < 0 || peek(walk) !== section + 1) continue;
    report(actor, USED_AFTER_FREE, Page.refcount.at2(d, pfnOf(pg)), walk);
  }
}
