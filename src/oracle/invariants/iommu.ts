/**
 * I6, when the machine is quiet: the IOMMU lets a domain's devices reach a foreign frame exactly
 * while live mappings call for it, and write it only while one of them is writable.
 */
import { IOMMU_READ, IOMMU_WRITE, Iommu } from '../../hardware/iommu.ts';
import { domainCount } from '../../hardware/params.ts';
import { needIommuPtSync } from '../../xen/domain.ts';
import { ActiveEntry } from '../../xen/grant-table/active.ts';
import { GrantTable } from '../../xen/grant-table/lock.ts';
import { Maptrack } from '../../xen/grant-table/maptrack.ts';
import { PageInfo } from '../../xen/page-info.ts';
import { GNTMAP_readonly } from '../../xen/public/grant-table.ts';
import { peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { IOMMU_MISMATCH } from '../violation.ts';

/** Compares the IOMMU entries of foreign frames with the maptracks. */
export function checkIommu(report: Report): void {
  for (let d = 0; d < domainCount(); d++) {
    if (!needIommuPtSync(d)) continue;
    const wanted = rightsByMaptrack(d);
    for (let mfn = 0; mfn < wanted.length; mfn++) {
      if (peek(PageInfo.owner.at(mfn)) === d) continue;
      const rights = Iommu.rights.at2(d, mfn);
      if (peek(rights) !== wanted[mfn]) report(-1, IOMMU_MISMATCH, rights, 0);
    }
  }
}

/** What the live mappings of a domain call for, by frame. */
function rightsByMaptrack(d: number): Uint8Array {
  const wanted = new Uint8Array(Iommu.rights.count);
  const limit = peek(GrantTable.maptrackLimit.at(d));
  for (let handle = 0; handle < limit; handle++) {
    const flags = peek(Maptrack.flags.at2(d, handle));
    if (flags === 0) continue;
    const granter = peek(Maptrack.domid.at2(d, handle));
    const mfn = peek(ActiveEntry.mfn.at2(granter, peek(Maptrack.ref.at2(d, handle))));
    const rights = (flags & GNTMAP_readonly) !== 0 ? IOMMU_READ : IOMMU_READ | IOMMU_WRITE;
    wanted[mfn] = (wanted[mfn] as number) | rights;
  }
  return wanted;
}
