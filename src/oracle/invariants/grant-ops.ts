/**
 * What must hold at the moment when a grant operation does its work.
 *
 * I6: a mapping is published only when the IOMMU lets the domain's devices do what it allows.
 * I2: a copy holds a reference of both frames, and a writable type reference of the one it writes.
 */
import { IOMMU_READ, IOMMU_WRITE, Iommu } from '../../hardware/iommu.ts';
import { needIommuPtSync } from '../../xen/domain.ts';
import { Maptrack } from '../../xen/grant-table/maptrack.ts';
import {
  PGC_count_mask,
  PGT_count_mask,
  PGT_type_mask,
  PGT_writable_page,
  PageInfo,
} from '../../xen/page-info.ts';
import { GNTMAP_readonly } from '../../xen/public/grant-table.ts';
import { peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { COPY_UNREFERENCED, IOMMU_MISMATCH } from '../violation.ts';

/** A mapping was published. @param d - mapping domain. @param handle - its handle. */
export function checkMapped(
  actor: number,
  d: number,
  handle: number,
  mfn: number,
  report: Report,
): void {
  if (!needIommuPtSync(d) || peek(PageInfo.owner.at(mfn)) === d) return;
  const flags = Maptrack.flags.at2(d, handle);
  const need = (peek(flags) & GNTMAP_readonly) !== 0 ? IOMMU_READ : IOMMU_READ | IOMMU_WRITE;
  const rights = Iommu.rights.at2(d, mfn);
  if ((peek(rights) & need) !== need) report(actor, IOMMU_MISMATCH, rights, flags);
}

/** A copy is about to move words. @param source - mfn. @param dest - mfn. */
export function checkCopy(actor: number, source: number, dest: number, report: Report): void {
  for (const mfn of [source, dest]) {
    const count = PageInfo.countInfo.at(mfn);
    if ((peek(count) & PGC_count_mask) === 0) report(actor, COPY_UNREFERENCED, count, 0);
  }
  const typeInfo = PageInfo.typeInfo.at(dest);
  const writable = (peek(typeInfo) & PGT_type_mask) === PGT_writable_page;
  if (!writable || (peek(typeInfo) & PGT_count_mask) === 0) {
    report(actor, COPY_UNREFERENCED, typeInfo, 0);
  }
}
