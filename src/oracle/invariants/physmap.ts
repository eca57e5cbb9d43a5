/**
 * I2, when the machine is quiet: the guest-physical memory of a translated domain leads only to
 * frames of its own and to Xen's pages that are shared with it. The entries hold no references of
 * their own, so whoever frees a frame must have taken it out first.
 */
import { domainCount } from '../../hardware/params.ts';
import { PageInfo } from '../../xen/page-info.ts';
import { Physmap } from '../../xen/physmap.ts';
import { peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { FRAME_REFERENCE } from '../violation.ts';

/** Compares every entry with the owner of its frame. */
export function checkPhysmap(report: Report): void {
  for (let d = 0; d < domainCount(); d++) {
    for (let gfn = 0; gfn < Physmap.mfn.count; gfn++) {
      const entry = Physmap.mfn.at2(d, gfn);
      const mfn = peek(entry);
      if (mfn === 0) continue;
      const owner = PageInfo.owner.at(mfn);
      if (peek(owner) !== d) report(-1, FRAME_REFERENCE, owner, entry);
    }
  }
}
