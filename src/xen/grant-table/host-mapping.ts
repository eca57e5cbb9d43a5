/**
 * Grant mappings in the page tables of PV guests (xen/arch/x86/pv/grant_table.c:
 * create_grant_pv_mapping(), replace_grant_pv_mapping(), steal_linear_address()).
 *
 * The entry is named by its place (GNTMAP_contains_pte) or by a virtual address of the current page
 * tables. It must lie in a level 1 table of the caller, whose page is locked while it is changed.
 * The references that the mapping holds are map.ts's and unmap.ts's business; what the entry held
 * before goes the ordinary way.
 */
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_GNTTAB,
  PTE_PRESENT,
  PTE_RW,
  PTE_SPECIAL,
  PTE_USER,
  makePte,
  pteMfn,
  walkToPte,
} from '../../hardware/paging.ts';
import { domainOf } from '../../hardware/params.ts';
import { Vcpu, reg, setReg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { readOnce, writeOnce } from '../../shared/operations.ts';
import { getPage, putPage } from '../frame-table.ts';
import { ptMfnOfWord } from '../mmu.ts';
import { PGT_l1_page_table } from '../page-info.ts';
import { putPageFromL1e } from '../page-table.ts';
import { isDebugBuild } from '../params.ts';
import { pageLock, pageUnlock } from '../page-type.ts';
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_guest_avail0,
  GNTMAP_readonly,
  GNTST_general_error,
  GNTST_okay,
} from '../public/grant-table.ts';

/** Register with the entry that stealLinearAddress or lockL1Entry found. */
const REG_OLD_L1E = 4;

/** xen/arch/x86/pv/grant_table.c: grant_to_pte_flags(). @param flags - GNTMAP_*. */
export function grantToPteFlags(flags: number): number {
  let pte = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY;
  if (isDebugBuild() !== 0) pte |= PTE_GNTTAB;
  if ((flags & GNTMAP_application_map) !== 0) pte |= PTE_USER;
  if ((flags & GNTMAP_readonly) === 0) pte |= PTE_RW;
  if ((flags & GNTMAP_guest_avail0) !== 0) pte |= PTE_SPECIAL;
  return pte;
}

/** The entry that an address means. @returns its word, or -1. */
function* findL1e(v: number, addr: number, flags: number): Op {
  if ((flags & GNTMAP_contains_pte) !== 0) return addr;
  return yield* walkToPte(v, yield* readOnce(Vcpu.cr3.at(v)), addr);
}

/**
 * Takes a reference of the entry's table and locks it, if it is a level 1 table of the caller.
 * @param pl1e - word of the entry, or -1. @returns mfn of the locked table, or -1.
 */
function* lockL1Table(v: number, pl1e: number): Op {
  const gl1mfn = ptMfnOfWord(pl1e);
  if (gl1mfn < 0 || (yield* getPage(v, gl1mfn, domainOf(v))) === 0) return -1;
  const type = yield* pageLock(gl1mfn);
  if (type === PGT_l1_page_table) return gl1mfn;
  if (type >= 0) yield* pageUnlock(gl1mfn);
  yield* putPage(v, gl1mfn);
  return -1;
}

function* unlockL1Table(v: number, gl1mfn: number): Op<void> {
  yield* pageUnlock(gl1mfn);
  yield* putPage(v, gl1mfn);
}

/**
 * xen/arch/x86/pv/grant_table.c: create_grant_pv_mapping().
 * @param addr - word of the entry or vpn. @param mfn - granted frame. @param flags - GNTMAP_*.
 * @returns GNTST_*.
 */
export function* createGrantHostMapping(v: number, addr: number, mfn: number, flags: number): Op {
  const pl1e = yield* findL1e(v, addr, flags);
  const gl1mfn = yield* lockL1Table(v, pl1e);
  if (gl1mfn < 0) return GNTST_general_error;
  const ol1e = yield* readOnce(pl1e);
  yield* writeOnce(pl1e, makePte(mfn, grantToPteFlags(flags)));
  yield* unlockL1Table(v, gl1mfn);
  yield* putPageFromL1e(v, ol1e, domainOf(v));
  return GNTST_okay;
}

/**
 * xen/arch/x86/pv/grant_table.c: steal_linear_address(): empties the entry of a virtual address;
 * its value comes in REG_OLD_L1E and its references are the caller's. @returns 1 or 0.
 */
function* stealLinearAddress(v: number, vpn: number): Op {
  const pl1e = yield* walkToPte(v, yield* readOnce(Vcpu.cr3.at(v)), vpn);
  const gl1mfn = yield* lockL1Table(v, pl1e);
  if (gl1mfn < 0) return 0;
  setReg(v, REG_OLD_L1E, yield* readOnce(pl1e));
  yield* writeOnce(pl1e, 0);
  yield* unlockL1Table(v, gl1mfn);
  return 1;
}

/**
 * xen/arch/x86/pv/grant_table.c: replace_grant_pv_mapping().
 * @param addr - word of the entry or vpn. @param frame - frame that must be mapped there.
 * @param newAddr - 0 to empty the entry; else a vpn whose mapping moves there, unmap_and_replace's
 *   way, impossible with GNTMAP_contains_pte. @param flags - GNTMAP_* it was mapped with.
 * @returns GNTST_*.
 */
export function* replaceGrantHostMapping(
  v: number,
  addr: number,
  frame: number,
  newAddr: number,
  flags: number,
): Op {
  let nl1e = 0;
  if (newAddr !== 0) {
    if ((flags & GNTMAP_contains_pte) !== 0) return GNTST_general_error;
    if ((yield* stealLinearAddress(v, newAddr)) === 0) return GNTST_general_error;
    nl1e = reg(v, REG_OLD_L1E);
  }
  const rc = yield* replaceEntry(v, addr, frame, nl1e, flags);
  // On an error the stolen entry is still ours to put.
  if (rc !== GNTST_okay) yield* putPageFromL1e(v, nl1e, domainOf(v));
  return rc;
}

function* replaceEntry(v: number, addr: number, frame: number, nl1e: number, flags: number): Op {
  const pl1e = yield* findL1e(v, addr, flags);
  const gl1mfn = yield* lockL1Table(v, pl1e);
  if (gl1mfn < 0) return GNTST_general_error;
  // The entry must map this frame with these rights; the guest may have changed it (XSA-234).
  const ol1e = yield* readOnce(pl1e);
  const differs = (ol1e ^ grantToPteFlags(flags)) & (PTE_PRESENT | PTE_RW);
  let rc = GNTST_general_error;
  if (pteMfn(ol1e) === frame && differs === 0) {
    yield* writeOnce(pl1e, nl1e);
    rc = GNTST_okay;
  }
  yield* unlockL1Table(v, gl1mfn);
  return rc;
}
