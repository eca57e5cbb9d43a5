/**
 * I5 and I7: who may reach a frame, and who still could when nobody may any more.
 *
 * A domain may reach the frames it owns and those that an active entry pins for it. Xen pins
 * before the mapping can be used and drops the pin after the TLB flush, so at the moment of a
 * lawful access the pin is there.
 */
import { PTE_RW, pteMfn } from '../hardware/paging.ts';
import {
  domainCount,
  domainOf,
  firstVcpuOf,
  kernelBase,
  kernelVcpuOf,
  vcpuCount,
} from '../hardware/params.ts';
import { P2m } from '../linux/mm/p2m.ts';
import { domainOfPage, pfnOf } from '../linux/mm/page.ts';
import { Tlb } from '../hardware/tlb.ts';
import { PGT_writable_page, PageInfo } from '../xen/page-info.ts';
import { ActiveEntry } from '../xen/grant-table/active.ts';
import { peek, shadowAdd } from './shadow-words.ts';
import { ShadowRight } from './shadow.ts';
import type { Report } from './violation.ts';
import {
  ACCESS_WITHOUT_RIGHT,
  FRAME_REFERENCE,
  FREED_WHILE_MAPPED,
  STALE_TRANSLATION,
  WRITABLE_TRANSLATION,
} from './violation.ts';

/**
 * A CPU or device accessed a frame.
 * @param d - domain for which it was done. @param mfn - the frame. @param word - word accessed.
 */
export function checkAccess(
  actor: number,
  d: number,
  mfn: number,
  word: number,
  report: Report,
): void {
  const owner = PageInfo.owner.at(mfn);
  if (peek(owner) === d || peek(ShadowRight.pins.at2(d, mfn)) > 0) return;
  report(actor, ACCESS_WITHOUT_RIGHT, word, owner);
}

/**
 * An active entry's pin changed. Its domid and mfn are valid: they are filled in before the first
 * pin and stay until the last one is gone.
 * @param act - first word of the entry.
 */
export function pinChanged(
  actor: number,
  act: number,
  before: number,
  after: number,
  report: Report,
): void {
  const wasPinned = before !== 0;
  const isPinned = after !== 0;
  if (wasPinned === isPinned) return;
  const d = peek(act + ActiveEntry.domid.word - ActiveEntry.pin.word);
  const mfn = peek(act + ActiveEntry.mfn.word - ActiveEntry.pin.word);
  const right = ShadowRight.pins.at2(d, mfn);
  if (shadowAdd(right, isPinned ? 1 : -1) > 0) return;
  if (peek(PageInfo.owner.at(mfn)) === d) return;
  for (let v = firstVcpuOf(d); v <= kernelVcpuOf(d); v++) {
    const stale = staleSlot(v, mfn);
    // A mapping that another vCPU makes meanwhile pins the frame first.
    if (stale >= 0 && peek(right) === 0) {
      report(actor, STALE_TRANSLATION, Tlb.pte.at2(v, stale), PageInfo.owner.at(mfn));
    }
  }
}

/** A frame goes back to the heap: no grant may pin it (I2). */
export function pageFreed(actor: number, mfn: number, report: Report): void {
  for (let d = 0; d < domainCount(); d++) {
    const right = ShadowRight.pins.at2(d, mfn);
    if (peek(right) > 0) report(actor, FRAME_REFERENCE, right, PageInfo.countInfo.at(mfn));
  }
}

/** A kernel frees a page: no TLB may still translate an address of a process to its frame. */
export function pageUnmapped(actor: number, pg: number, report: Report): void {
  const d = domainOfPage(pg);
  const mfn = peek(P2m.value.at2(d, pfnOf(pg)));
  for (let v = firstVcpuOf(d); v <= kernelVcpuOf(d); v++) {
    for (let slot = 0; slot < Tlb.tag.count; slot++) {
      const tag = peek(Tlb.tag.at2(v, slot));
      if (tag === 0 || tag > kernelBase() || pteMfn(peek(Tlb.pte.at2(v, slot))) !== mfn) continue;
      report(actor, FREED_WHILE_MAPPED, Tlb.pte.at2(v, slot), PageInfo.owner.at(mfn));
    }
  }
}

/** A frame was given to a new owner: no TLB of another domain may still translate to it. */
export function pageAllocated(actor: number, mfn: number, owner: number, report: Report): void {
  for (let v = 0; v < vcpuCount(); v++) {
    if (domainOf(v) === owner) continue;
    const stale = staleSlot(v, mfn);
    if (stale >= 0) {
      report(actor, STALE_TRANSLATION, Tlb.pte.at2(v, stale), PageInfo.owner.at(mfn));
    }
  }
}

/**
 * A frame may be used from now on as what it has become: if that is no page that guests may write,
 * then no TLB lets them.
 */
export function pageValidated(actor: number, mfn: number, type: number, report: Report): void {
  if (type === PGT_writable_page) return;
  for (let v = 0; v < vcpuCount(); v++) {
    const stale = staleSlot(v, mfn, PTE_RW);
    if (stale >= 0) {
      report(actor, WRITABLE_TRANSLATION, Tlb.pte.at2(v, stale), PageInfo.typeInfo.at(mfn));
    }
  }
}

/**
 * @param rights - PTE_* that the translation has at least.
 * @returns a slot of the vCPU's TLB that translates to the frame, -1 if none.
 */
function staleSlot(v: number, mfn: number, rights = 0): number {
  for (let slot = 0; slot < Tlb.tag.count; slot++) {
    if (peek(Tlb.tag.at2(v, slot)) === 0) continue;
    const pte = peek(Tlb.pte.at2(v, slot));
    if (pteMfn(pte) === mfn && (pte & rights) === rights) return slot;
  }
  return -1;
}
