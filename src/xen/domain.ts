/**
 * Domains (xen/include/xen/sched.h: struct domain; xen/common/domain.c). Every domain of the
 * machine exists from boot; what changes is whether it dies.
 *
 * pageAllocLock protects totPages. Order: it is taken with no other lock of the hypervisor but a
 * grant table's, and heap_lock is never held around it.
 */
import { domainCount, domainOf, vcpuCount } from '../hardware/params.ts';
import { vcpuMaskOf } from '../hardware/flush.ts';
import { Vcpu } from '../hardware/vcpu.ts';
import { spinLock, spinUnlock } from '../shared/spinlock.ts';
import type { Op } from '../shared/op.ts';
import { read, readLocal, readOnce, write, writeOnce } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { DOMID_SELF } from './public/xen.ts';

export const Domain = defineTable(
  'domain[d%]',
  ['domains'],
  {
    inList: '[XEN] 1 while the domain can be found by its number',
    isDying: '[XEN] 1 once the domain is being destroyed',
    needIommu: '[BOOT] need_iommu_pt_sync(): a device is assigned, so the IOMMU follows the types',
    totPages: '[XEN] pages owned; pageAllocLock protects it',
    maxPages: '[BOOT] limit of totPages',
    xenheapPages: '[XEN] Xen’s pages shared with the domain; pageAllocLock protects it',
    translated: '[BOOT] paging_mode_translate(): the guest’s frame numbers go through physmap.ts',
    pageAllocLock: '[XEN] spinlock',
  },
  { lineAligned: true },
);

/** No such domain. */
export const NO_DOMAIN = -1;

/**
 * xen/common/domain.c: rcu_lock_domain_by_id(). Domain records are never reused, so the read-side
 * section of RCU that keeps the record in life needs no steps here.
 * @param domid - as the guest gave it. @returns the domain, or NO_DOMAIN.
 */
export function* rcuLockDomainById(domid: number): Op {
  if (domid < 0 || domid >= domainCount()) return NO_DOMAIN;
  if ((yield* readOnce(Domain.inList.at(domid))) === 0) return NO_DOMAIN;
  return domid;
}

/**
 * xen/common/domain.c: rcu_lock_domain_by_any_id(): as above, and DOMID_SELF is the caller.
 * @returns the domain, or NO_DOMAIN.
 */
export function* rcuLockDomainByAnyId(v: number, domid: number): Op {
  if (domid === DOMID_SELF) return domainOf(v);
  return yield* rcuLockDomainById(domid);
}

/** d->is_dying, read without a lock. @returns 0 or 1. */
export function* isDying(d: number): Op {
  return yield* readOnce(Domain.isDying.at(d));
}

/** need_iommu_pt_sync(): constant since boot. @returns true if the IOMMU follows the page types. */
export function needIommuPtSync(d: number): boolean {
  return readLocal(Domain.needIommu.at(d)) !== 0;
}

/** paging_mode_translate(): constant since boot. */
export function isTranslated(d: number): boolean {
  return readLocal(Domain.translated.at(d)) !== 0;
}

/**
 * The CPUs that may hold translations at all: those whose vCPU has loaded page tables. Frame 0 is
 * Xen's, so cr3 is 0 only before the boot of the vCPU.
 * @returns mask of machine-wide vCPU numbers.
 */
export function dirtyCpumaskOfMachine(): number {
  let mask = 0;
  for (let v = 0; v < vcpuCount(); v++) if (readLocal(Vcpu.cr3.at(v)) !== 0) mask |= 1 << v;
  return mask;
}

/** d->dirty_cpumask. @param d - domain. @returns its vCPUs that may hold translations. */
export function dirtyCpumask(d: number): number {
  return dirtyCpumaskOfMachine() & vcpuMaskOf(d);
}

/**
 * xen/common/domain.c: domain_kill(), its first step: no new pages, no new mappings by copy.
 * @param d - domain to destroy.
 */
export function* domainStartDying(d: number): Op<void> {
  yield* spinLock(Domain.pageAllocLock.at(d));
  yield* writeOnce(Domain.isDying.at(d), 1);
  yield* spinUnlock(Domain.pageAllocLock.at(d));
}

/**
 * put_domain() of the last page of either kind: it takes a dying domain along. Two that let go at
 * once may both find it so.
 */
export function* dropDomRef(d: number): Op<void> {
  if ((yield* isDying(d)) === 0) return;
  if ((yield* readOnce(Domain.totPages.at(d))) !== 0) return;
  if ((yield* readOnce(Domain.xenheapPages.at(d))) !== 0) return;
  yield* domainDestroy(d);
}

/** xen/common/domain.c: domain_destroy(): the domain can no longer be found. */
export function* domainDestroy(d: number): Op<void> {
  yield* writeOnce(Domain.inList.at(d), 0);
}

/**
 * xen/common/page_alloc.c: domain_adjust_tot_pages(). The caller holds pageAllocLock.
 * @param pages - how many more, or fewer. @returns the new total.
 */
export function* domainAdjustTotPages(d: number, pages: number): Op {
  const total = (yield* read(Domain.totPages.at(d))) + pages;
  yield* write(Domain.totPages.at(d), total);
  return total;
}
