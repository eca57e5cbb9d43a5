/**
 * I8 and I4 by the kernel's tracepoints: is the page that get_user_pages returns the one that the
 * grant at the address was mapped onto; is a page unmapped that somebody holds; did a granter end
 * access under a pin, or give a page back that another domain still reaches.
 */
import { domainCount } from '../hardware/params.ts';
import { FOREIGN_FRAME_BIT, INVALID_P2M_ENTRY, P2m } from '../linux/mm/p2m.ts';
import { Page, domainOfPage, pfnOf } from '../linux/mm/page.ts';
import { ActiveEntry } from '../xen/grant-table/active.ts';
import { peek, shadowSet } from './shadow-words.ts';
import { ShadowAddress, ShadowPage, ShadowRight } from './shadow.ts';
import type { Report } from './violation.ts';
import {
  FREED_WHILE_GRANTED,
  GUP_WRONG_PAGE,
  REVOKED_WHILE_PINNED,
  UNMAPPED_IN_USE,
} from './violation.ts';

function pageWord(field: { at2(d: number, pfn: number): number }, pg: number): number {
  const perDomain = ShadowPage.vpn.count;
  return field.at2((pg / perDomain) | 0, pg % perDomain);
}

function addressSlot(vpn: number, mm: number): number {
  return (vpn + mm * 31) % ShadowAddress.vpn.count;
}

/** gntdev asks for a grant at a user address. */
export function grantMapped(vpn: number, pg: number, mm: number): void {
  shadowSet(pageWord(ShadowPage.mm, pg), mm);
  shadowSet(pageWord(ShadowPage.vpn, pg), vpn + 1);
  const slot = addressSlot(vpn, mm);
  shadowSet(ShadowAddress.vpn.at(slot), 0);
  shadowSet(ShadowAddress.mm.at(slot), mm);
  shadowSet(ShadowAddress.page.at(slot), pg);
  shadowSet(ShadowAddress.vpn.at(slot), vpn + 1);
}

/** A driver is about to unmap the grant behind a page: nobody else may hold the page. */
export function grantUnmapped(actor: number, pg: number, report: Report): void {
  const refcount = pageWord(Page.refcount, pg);
  if (peek(refcount) > 1) report(actor, UNMAPPED_IN_USE, refcount, pageWord(Page.private, pg));
  const vpnWord = pageWord(ShadowPage.vpn, pg);
  const vpn = peek(vpnWord) - 1;
  if (vpn < 0) return;
  const slot = addressSlot(vpn, peek(pageWord(ShadowPage.mm, pg)));
  if (peek(ShadowAddress.page.at(slot)) === pg) shadowSet(ShadowAddress.vpn.at(slot), 0);
  shadowSet(vpnWord, 0);
}

/** get_user_pages took a reference to a page for an address. */
export function pageGot(actor: number, vpn: number, pg: number, mm: number, report: Report): void {
  const vpnWord = pageWord(ShadowPage.vpn, pg);
  const home = peek(vpnWord);
  const otherHome = home !== 0 && (home !== vpn + 1 || peek(pageWord(ShadowPage.mm, pg)) !== mm);
  if (otherHome) {
    report(actor, GUP_WRONG_PAGE, pageWord(Page.refcount, pg), vpnWord);
    return;
  }
  const slot = addressSlot(vpn, mm);
  if (peek(ShadowAddress.vpn.at(slot)) !== vpn + 1 || peek(ShadowAddress.mm.at(slot)) !== mm)
    return;
  const right = peek(ShadowAddress.page.at(slot));
  if (right !== pg) {
    report(actor, GUP_WRONG_PAGE, pageWord(Page.refcount, pg), pageWord(Page.refcount, right));
  }
}

/** A granter was told that nobody uses its grant any more. */
export function accessEnded(actor: number, d: number, ref: number, report: Report): void {
  const pin = ActiveEntry.pin.at2(d, ref);
  if (peek(pin) !== 0) report(actor, REVOKED_WHILE_PINNED, pin, 0);
}

/** A kernel gives a page back to its allocator: no other domain may hold the frame behind it. */
export function guestPageFreed(actor: number, pg: number, report: Report): void {
  const d = domainOfPage(pg);
  const entry = peek(P2m.value.at2(d, pfnOf(pg)));
  if (entry === INVALID_P2M_ENTRY || (entry & FOREIGN_FRAME_BIT) !== 0) return;
  for (let other = 0; other < domainCount(); other++) {
    if (other === d) continue;
    const right = ShadowRight.pins.at2(other, entry);
    if (peek(right) > 0) {
      report(actor, FREED_WHILE_GRANTED, pageWord(Page.refcount, pg), right);
    }
  }
}
