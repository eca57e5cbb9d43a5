/**
 * The destruction of a domain by the toolstack (xen/common/domain.c: domain_kill(),
 * xen/arch/x86/domain.c: domain_relinquish_resources()). Its vCPUs have stopped for good and its
 * devices have been taken away, so its IOMMU entries go first.
 *
 * 1. is_dying: nobody gives it pages or trusts its pins any more. 2. TLBs and IOMMU. 3. the grants
 * it has mapped. 4. what its vCPUs run on. 5. its pages: pinned types, then the owner's reference.
 * Pages that others have mapped by grant live on; with the last of them the domain leaves the list.
 */
import { iommuFlush, iommuUnmap } from '../hardware/iommu.ts';
import { firstVcpuOf, frameCount, vcpusPerDomain } from '../hardware/params.ts';
import { flushTlbHypercall } from '../hardware/flush.ts';
import { Vcpu } from '../hardware/vcpu.ts';
import type { Op } from '../shared/op.ts';
import { fetchAnd, readOnce, xchg } from '../shared/operations.ts';
import {
  NO_DOMAIN,
  dirtyCpumask,
  domainStartDying,
  needIommuPtSync,
  rcuLockDomainById,
} from './domain.ts';
import { getPage, putPage, putPageAllocRef } from './frame-table.ts';
import { gnttabReleaseMappings } from './grant-table/release.ts';
import { grantTableDestroy } from './grant-table/status-frames.ts';
import { PGT_pinned, PageInfo } from './page-info.ts';
import { putPageAndType } from './page-type.ts';

/** No device of the domain reaches any frame afterwards. */
function* releaseIommu(d: number): Op<void> {
  if (!needIommuPtSync(d)) return;
  for (let mfn = 1; mfn < frameCount(); mfn++) yield* iommuUnmap(d, mfn);
  yield* iommuFlush(d);
}

/** xen/arch/x86/mm.c: vcpu_destroy_pagetables(), for every vCPU. */
function* destroyPagetables(v: number, d: number): Op<void> {
  const first = firstVcpuOf(d);
  for (let other = first; other < first + vcpusPerDomain(); other++) {
    const root = yield* xchg(Vcpu.cr3.at(other), 0);
    if (root !== 0) yield* putPageAndType(v, root);
  }
}

/** xen/arch/x86/domain.c: relinquish_memory(): a page of the dying domain. */
function* relinquishPage(v: number, mfn: number): Op<void> {
  const before = yield* fetchAnd(PageInfo.typeInfo.at(mfn), ~PGT_pinned);
  if ((before & PGT_pinned) !== 0) yield* putPageAndType(v, mfn);
  yield* putPageAllocRef(v, mfn);
}

/**
 * xen/common/domain.c: domain_kill().
 * @param v - vCPU of another domain that runs it. @param d - domain whose vCPUs have stopped.
 */
export function* domainKill(v: number, d: number): Op<void> {
  yield* domainStartDying(d);
  yield* flushTlbHypercall(v, dirtyCpumask(d));
  yield* releaseIommu(d);
  yield* gnttabReleaseMappings(v, d);
  yield* destroyPagetables(v, d);
  for (let mfn = 1; mfn < frameCount(); mfn++) {
    if ((yield* readOnce(PageInfo.owner.at(mfn))) !== d) continue;
    if ((yield* getPage(v, mfn, d)) === 0) continue;
    yield* relinquishPage(v, mfn);
    yield* putPage(v, mfn);
  }
  // A domain whose pages others still have mapped keeps its grant table.
  if ((yield* rcuLockDomainById(d)) === NO_DOMAIN) yield* grantTableDestroy(d);
}
