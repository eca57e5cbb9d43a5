/**
 * XSA-394: a mapping counts once for the IOMMU, however many parts it has; but every unmap that
 * succeeded took one from the count, also one that left a part mapped.
 *
 * The function is that of Xen 4.16 (xen/common/grant_table.c: unmap_common()).
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, readOnce, smpRmb, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { needIommuPtSync } from '../../xen/domain.ts';
import { activeEntryAcquire, activeEntryRelease } from '../../xen/grant-table/active.ts';
import { iommuUncountMapping } from '../../xen/grant-table/iommu-tree.ts';
import { grantReadLock, grantReadUnlock, nrGrantEntries } from '../../xen/grant-table/lock.ts';
import { Maptrack, putMaptrackHandle } from '../../xen/grant-table/maptrack.ts';
import {
  HANDLE_FREED,
  UnmapCommon,
  takeMapping,
  unmapUnderLocks,
} from '../../xen/grant-table/unmap.ts';
import { GNTMAP_readonly, GNTST_bad_handle, GNTST_okay } from '../../xen/public/grant-table.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { arrangeBothParts, unmapBothParts } from './both-parts.ts';

/** Xen 4.16's unmap_common() from the granter's lock to its end. @returns GNTST_*. */
export function* uncountEveryUnmap(v: number, i: number, map: number, rd: number): Op {
  const ld = domainOf(v);
  yield* grantReadLock(v, rd);
  const ref = yield* read(Maptrack.ref.at2(ld, map));
  writeLocal(UnmapCommon.rd.at2(v, i), rd);
  writeLocal(UnmapCommon.ref.at2(v, i), ref);
  yield* smpRmb();
  if (ref < 0 || ref >= (yield* nrGrantEntries(rd))) {
    yield* grantReadUnlock(v, rd);
    return GNTST_bad_handle;
  }
  yield* activeEntryAcquire(rd, ref);
  const flags = yield* readOnce(Maptrack.flags.at2(ld, map));
  yield* smpRmb();
  let rc = GNTST_bad_handle;
  if (
    flags !== 0 &&
    (yield* read(Maptrack.domid.at2(ld, map))) === rd &&
    (yield* read(Maptrack.ref.at2(ld, map))) === ref
  ) {
    rc = yield* takeMapping(v, i, map, flags);
  }
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  if (rc < 0) return rc;

  if (rc === HANDLE_FREED) {
    yield* putMaptrackHandle(v, readLocal(UnmapCommon.handle.at2(v, i)));
  }
  if (ld !== rd && needIommuPtSync(ld)) {
    const mfn = readLocal(UnmapCommon.mfn.at2(v, i));
    yield* iommuUncountMapping(ld, mfn, (flags & GNTMAP_readonly) !== 0 ? 1 : 0);
  }
  return GNTST_okay;
}

export const iommuUnderflow: Race = {
  name: 'x22-iommu-underflow',
  about: 'Two vCPUs of a domain with a device unmap the two parts of one mapping.',
  sources: ['XSA-394', 'CVE-2022-23034', 'xen/common/grant_table.c: unmap_common()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3, iommu: 1 },
  arrange: arrangeBothParts,
  actors: unmapBothParts,
  kernelThreads: [],
  bug: {
    id: 'X22',
    title: 'Each part of a mapping takes one from a count to which the mapping gave one',
    story: [
      'A mapping has a host part and a device part; the IOMMU count of its frame is 1.',
      'A unmaps the host part: the count goes to 0, and the device loses the frame.',
      'The device part is still mapped: the driver believes that DMA works.',
      'B unmaps the device part: the count goes below 0, a BUG() of the hypervisor.',
    ],
    breaks: ['I6', 'kernel'],
    fix: 'Only the unmap that frees the handle takes the mapping out of the count.',
    fixedIn: 'Xen 4.17, commit 975a8fb45c',
    before: { design: 'vma-pages', overrides: [replaces(unmapUnderLocks, uncountEveryUnmap)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
