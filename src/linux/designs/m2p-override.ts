/**
 * The design of Linux 2.6.38–3.19: a hash from machine frame to the page it is mapped over, so
 * that mfn_to_pfn() has an answer for foreign frames (arch/x86/xen/p2m.c,
 * arch/x86/include/asm/xen/page.h of 3.12).
 *
 * OverrideBucket.*   1024 lists of pages through page->lru, by a hash of the frame
 * M2pOverride.lock   one spinlock for all of them, taken with upcalls masked
 * OverrideLock.value a spinlock a bucket in its place (LinuxParams.overrideBucketLocks): what the
 *                    kernel never had, to see how much of a lookup's cost is the one lock
 * page->private      the frame, with PG_private; page->index the p2m entry to restore
 *
 * Adding: 1. PG_private, private, index. 2. p2m[pfn] = FOREIGN | mfn. 3. the grant map of the
 * kernel address is queued in the lazy batch. 4. into the bucket, first. 5. if the domain maps a
 * frame of its own, the p2m entry of that page becomes FOREIGN too, so that lookups give the
 * backend's page from now on (frontend and backend in one domain).
 * Removing: 1. off the bucket. 2. PG_private. 3. p2m[pfn] = index. 4. unmap_and_replace of the
 * kernel address by the mapping of this vCPU's scratch page, which Xen takes away from there; the
 * scratch mapping is restored in the same batch, upcalls masked. 5. undo of adding's step 5, if
 * the frame is on no list any more.
 * Finding: the *first* page of the bucket whose private is the frame.
 *
 * What goes wrong, and is kept: one frame can be mapped over two pages, but is found as one of
 * them; nobody looks whether a page is in use when its grant is unmapped.
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf, kernelBase } from '../../hardware/params.ts';
import { pteMfn } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import {
  fetchAnd,
  fetchOr,
  read,
  readLocal,
  readOnce,
  warnOn,
  write,
  writeLocal,
} from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { gnttabMapGrantRef } from '../../xen/grant-table/map.ts';
import { gnttabUnmapAndReplace } from '../../xen/grant-table/replace.ts';
import { updateVaMapping } from '../../xen/mmu.ts';
import {
  GNTMAP_contains_pte,
  MAP_DEV_BUS_ADDR,
  MAP_FLAGS,
  MAP_HOST_ADDR,
  MAP_STATUS,
  MAP_WORDS,
  REPLACE_HANDLE,
  REPLACE_HOST_ADDR,
  REPLACE_NEW_ADDR,
  UNMAP_HANDLE,
  UNMAP_HOST_ADDR,
  UNMAP_WORDS,
} from '../../xen/public/grant-table.ts';
import { balloonScratchPage, scratchPte } from '../drivers/balloon.ts';
import { BUG_BALLOON, BUG_OVERRIDE_TWICE, BUG_OVERRIDE_UNMARKED } from '../drivers/bugs.ts';
import { initListHead, listAdd, listDel } from '../drivers/list.ts';
import { INVALID_GRANT_HANDLE } from '../drivers/map-refs.ts';
import { lruOf, pageOfLru } from '../drivers/page-lru.ts';
import { EINVAL, EPERM } from '../errno.ts';
import {
  FOREIGN_FRAME_BIT,
  INVALID_P2M_ENTRY,
  getPhysToMachine,
  mfnToPfnNoOverrides,
  pfnToMfn,
  setPhysToMachine,
} from '../mm/p2m.ts';
import { NO_PAGE, PG_private, Page, pageOf, pfnOf } from '../mm/page.ts';
import { LinuxParams } from '../params.ts';

/** M2P_OVERRIDE_HASH_SHIFT */
const HASH_SHIFT = 10;
/** GOLDEN_RATIO_PRIME_32 of include/linux/hash.h */
const GOLDEN_RATIO_PRIME = 0x9e370001 | 0;
/** MC_BATCH: multicalls that are queued before they are issued. */
const LAZY_BATCH = 32;

export const M2pOverride = defineTable(
  'linux[d%].m2p_override',
  ['domains'],
  { lock: '[GST] m2p_override_lock: spinlock, upcalls masked, of all buckets of the domain' },
  { lineAligned: true },
);

export const OverrideBucket = defineTable(
  'linux[d%].m2p_overrides[%]',
  ['domains', 'overrideBuckets'],
  {
    next: '[GST] head of the pages of this bucket: first',
    prev: '[GST] head of the pages of this bucket: last',
  },
);

export const OverrideLock = defineTable(
  'linux[d%].m2p_override_lock[%]',
  ['domains', 'overrideLocks'],
  { value: '[GST] spinlock of one bucket, upcalls masked' },
  { lineAligned: true },
);

/** Kernel grant maps of this vCPU that wait for the end of the lazy section. */
export const LazyBatch = defineTable('%v.lazy_mmu', ['vcpus'], {
  count: '[GST] multicalls that are queued',
});
export const LazyOp = defineTable('%v.lazy_mmu_op[%]', ['vcpus', 'lazyOps'], {
  value: '[GST] word of the map operation',
});

/** struct gnttab_unmap_and_replace of the multicall under construction. */
export const ReplaceOp = defineTable('%v.replace_op', ['vcpus'], {
  hostAddr: '[GST] vpn of the kernel mapping',
  newAddr: '[GST] vpn of the scratch page',
  handle: '[GST] of the mapping',
  status: '[XEN] GNTST_*',
});

/** m2p_override_init(). @param d - domain. */
export function initM2pOverride(d: number): void {
  for (let i = 0; i < OverrideBucket.next.count; i++) initListHead(OverrideBucket.next.at2(d, i));
}

/** mfn_hash(): hash_long(). @param mfn - frame. @returns bucket. */
export function mfnHash(mfn: number): number {
  return Math.imul(mfn, GOLDEN_RATIO_PRIME) >>> (32 - HASH_SHIFT);
}

function bucketOf(d: number, mfn: number): number {
  return OverrideBucket.next.at2(d, mfnHash(mfn) % OverrideBucket.next.count);
}

/** The lock of a frame's bucket. @param d - domain. @param mfn - frame. @returns word. */
export function lockOfOverride(d: number, mfn: number): number {
  if (readLocal(LinuxParams.overrideBucketLocks.word) === 0) return M2pOverride.lock.at(d);
  return OverrideLock.value.at2(d, mfnHash(mfn) % OverrideLock.value.count);
}

/**
 * The list of a frame's bucket. The caller holds its lock.
 * @param d - domain. @param mfn - frame. @returns the first page of the frame, or NO_PAGE.
 */
export function* searchOverride(d: number, mfn: number): Op {
  const bucket = bucketOf(d, mfn);
  let found = NO_PAGE;
  let node = yield* read(bucket);
  while (node !== bucket && found === NO_PAGE) {
    const pg = pageOfLru(node);
    if ((yield* read(Page.private.at(pg))) === mfn) found = pg;
    node = yield* read(node);
  }
  return found;
}

/**
 * arch/x86/xen/p2m.c: m2p_find_override()
 * @param v - vCPU that asks. @param mfn - frame.
 * @returns the first page that the frame is mapped over, or NO_PAGE.
 */
export function* m2pFindOverride(v: number, mfn: number): Op {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(lockOfOverride(d, mfn));
  const found = yield* searchOverride(d, mfn);
  yield* spinUnlock(lockOfOverride(d, mfn));
  yield* localIrqRestore(v, flags);
  return found;
}

/**
 * arch/x86/include/asm/xen/page.h: mfn_to_pfn() and pfn_to_page()
 * @param v - vCPU that asks. @param mfn - frame. @returns page of its domain, or NO_PAGE.
 */
export function* mfnToPage(v: number, mfn: number): Op {
  const d = domainOf(v);
  const pfn = yield* mfnToPfnNoOverrides(mfn);
  if ((yield* getPhysToMachine(d, pfn)) === mfn) return pageOf(d, pfn);
  return yield* m2pFindOverride(v, mfn);
}

/** xen_mc_flush(): issues the queued multicalls. */
function* lazyFlush(v: number): Op<void> {
  const count = readLocal(LazyBatch.count.at(v));
  for (let i = 0; i < count; i++) {
    yield* gnttabMapGrantRef(v, readLocal(LazyOp.value.at2(v, i)), 1);
  }
  writeLocal(LazyBatch.count.at(v), 0);
}

/** xen_mc_entry(), MULTI_grant_table_op(), xen_mc_issue(PARAVIRT_LAZY_MMU) */
function* lazyMap(v: number, op: number): Op<void> {
  if (readLocal(LazyBatch.count.at(v)) >= Math.min(LAZY_BATCH, LazyOp.value.count)) {
    yield* lazyFlush(v);
  }
  const count = readLocal(LazyBatch.count.at(v));
  writeLocal(LazyOp.value.at2(v, count), op);
  writeLocal(LazyBatch.count.at(v), count + 1);
}

/** arch/x86/xen/p2m.c: m2p_add_override() */
function* m2pAddOverride(v: number, mfn: number, pg: number, kmapOp: number): Op<void> {
  const d = domainOf(v);
  const pfn = pfnOf(pg);
  const before = yield* fetchOr(Page.flags.at(pg), PG_private);
  warnOn((before & PG_private) !== 0, BUG_OVERRIDE_TWICE, pg, mfn);
  yield* write(Page.private.at(pg), mfn);
  yield* write(Page.index.at(pg), yield* pfnToMfn(d, pfn));
  yield* setPhysToMachine(v, pfn, mfn | FOREIGN_FRAME_BIT);
  if (kmapOp !== 0) yield* lazyMap(v, kmapOp);
  const flags = yield* localIrqSave(v);
  yield* spinLock(lockOfOverride(d, mfn));
  yield* listAdd(lruOf(pg), bucketOf(d, mfn));
  yield* spinUnlock(lockOfOverride(d, mfn));
  yield* localIrqRestore(v, flags);
  const owner = yield* mfnToPfnNoOverrides(mfn);
  if ((yield* getPhysToMachine(d, owner)) === mfn) {
    yield* setPhysToMachine(v, owner, mfn | FOREIGN_FRAME_BIT);
  }
}

/** The frame that a map operation mapped: from the PTE, or as Xen returned it. */
function* mappedFrame(op: number): Op {
  if ((readLocal(op + MAP_FLAGS) & GNTMAP_contains_pte) === 0) {
    return yield* read(op + MAP_DEV_BUS_ADDR);
  }
  return pteMfn(yield* readOnce(readLocal(op + MAP_HOST_ADDR)));
}

/** drivers/xen/grant-table.c: gnttab_map_refs(), after the hypercall. Arguments as designMap. */
export function* m2pOverrideMap(
  v: number,
  mapOps: number,
  kmapOps: number,
  pages: number,
  count: number,
): Op {
  for (let i = 0; i < count; i++) {
    const op = mapOps + i * MAP_WORDS;
    if ((yield* read(op + MAP_STATUS)) !== 0) continue;
    const mfn = yield* mappedFrame(op);
    const kmapOp = kmapOps === 0 ? 0 : kmapOps + i * MAP_WORDS;
    yield* m2pAddOverride(v, mfn, readLocal(pages + i), kmapOp);
  }
  yield* lazyFlush(v);
  return 0;
}

/**
 * The kernel address gets the mapping of the scratch page; Xen takes it from the scratch page's
 * own address, where the second call puts it back.
 * @param kunmapOp - host address and handle of the kernel mapping. @returns 0, or -EPERM.
 */
export function* replaceByScratch(v: number, kunmapOp: number): Op {
  const handle = readLocal(kunmapOp + UNMAP_HANDLE);
  if (handle === INVALID_GRANT_HANDLE) return -EPERM;
  const scratchPfn = pfnOf(balloonScratchPage(v));
  const scratchVpn = kernelBase() + scratchPfn;
  const op = ReplaceOp.hostAddr.at(v);
  const flags = yield* localIrqSave(v);
  writeLocal(op + REPLACE_HOST_ADDR, readLocal(kunmapOp + UNMAP_HOST_ADDR));
  writeLocal(op + REPLACE_NEW_ADDR, scratchVpn);
  writeLocal(op + REPLACE_HANDLE, handle);
  yield* gnttabUnmapAndReplace(v, op, 1);
  const mfn = yield* pfnToMfn(domainOf(v), scratchPfn);
  const status = yield* updateVaMapping(v, scratchVpn, scratchPte(mfn));
  warnOn(status !== 0, BUG_BALLOON, balloonScratchPage(v), status);
  yield* localIrqRestore(v, flags);
  return 0;
}

/** arch/x86/xen/p2m.c: m2p_remove_override(). @returns 0, or a negative error. */
function* m2pRemoveOverride(v: number, pg: number, kunmapOp: number): Op {
  const d = domainOf(v);
  const pfn = pfnOf(pg);
  const entry = yield* getPhysToMachine(d, pfn);
  if (entry === INVALID_P2M_ENTRY || (entry & FOREIGN_FRAME_BIT) === 0) return -EINVAL;
  const mfn = entry & ~FOREIGN_FRAME_BIT;
  const flags = yield* localIrqSave(v);
  yield* spinLock(lockOfOverride(d, mfn));
  yield* listDel(lruOf(pg));
  yield* spinUnlock(lockOfOverride(d, mfn));
  yield* localIrqRestore(v, flags);
  const before = yield* fetchAnd(Page.flags.at(pg), ~PG_private);
  warnOn((before & PG_private) === 0, BUG_OVERRIDE_UNMARKED, pg, mfn);
  yield* setPhysToMachine(v, pfn, yield* read(Page.index.at(pg)));
  if (kunmapOp !== 0) {
    const status = yield* replaceByScratch(v, kunmapOp);
    if (status !== 0) return status;
  }
  const owner = yield* mfnToPfnNoOverrides(mfn);
  if ((yield* getPhysToMachine(d, owner)) !== (mfn | FOREIGN_FRAME_BIT)) return 0;
  if ((yield* m2pFindOverride(v, mfn)) !== NO_PAGE) return 0;
  yield* setPhysToMachine(v, owner, mfn);
  return 0;
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_refs(), after the hypercall. Arguments as designUnmap.
 */
export function* m2pOverrideUnmap(v: number, kunmapOps: number, pages: number, count: number): Op {
  for (let i = 0; i < count; i++) {
    const kunmapOp = kunmapOps === 0 ? 0 : kunmapOps + i * UNMAP_WORDS;
    const status = yield* m2pRemoveOverride(v, readLocal(pages + i), kunmapOp);
    if (status !== 0) return status;
  }
  return 0;
}
