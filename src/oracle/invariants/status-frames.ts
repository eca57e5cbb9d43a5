/**
 * I9 and I15 of the frames that set_version brings and takes away: a status word is used only while
 * its frame is allocated, and no guest-physical memory names a frame that the domain does not own.
 */
import { domainCount } from '../../hardware/params.ts';
import { GrantStatus, statusFrameOf } from '../../xen/grant-table/entry.ts';
import { PageInfo } from '../../xen/page-info.ts';
import { Physmap } from '../../xen/physmap.ts';
import { peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { FRAME_REFERENCE, STATUS_FRAME_GONE } from '../violation.ts';

/** A status word was read or written. */
export function statusTouched(actor: number, word: number, report: Report): void {
  const offset = word - GrantStatus.value.word;
  const d = (offset / GrantStatus.value.outer) | 0;
  const ref = ((offset % GrantStatus.value.outer) / GrantStatus.value.stride) | 0;
  const frame = statusFrameOf(d, ref);
  if (peek(frame) === 0) report(actor, STATUS_FRAME_GONE, word, frame);
}

/** Every frame in a domain's guest-physical memory is the domain's. */
export function checkPhysmap(report: Report): void {
  for (let d = 0; d < domainCount(); d++) {
    for (let gfn = 0; gfn < Physmap.mfn.count; gfn++) {
      const entry = Physmap.mfn.at2(d, gfn);
      const mfn = peek(entry);
      if (mfn === 0) continue;
      const owner = PageInfo.owner.at(mfn);
      if (peek(owner) !== d) report(-1, FRAME_REFERENCE, entry, owner);
    }
  }
}
