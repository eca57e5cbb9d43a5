/**
 * The steps of a thread of the kernel that grants: a frontend that grants pages, ends access,
 * writes to its pages, frees them and gets new ones. It keeps the rules: a page is granted while
 * it lives (each grant holds a reference), and a grant is ended once.
 */
import { cpuStore } from '../../hardware/access.ts';
import { kernelBase } from '../../hardware/params.ts';
import {
  gnttabEndForeignAccess,
  gnttabGrantForeignAccess,
  gnttabTryEndForeignAccess,
} from '../../linux/drivers/grant-table.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { NO_PAGE, getPage, pfnOf, putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, storeRelease, write } from '../../shared/operations.ts';
import { BACKEND } from '../process.ts';
import { FUZZ_EMPTY, FuzzGrant, FuzzPage, claimEmpty, claimPlace } from './tables.ts';

/** Grants a page that the caller has claimed. @returns reference, or FUZZ_EMPTY. */
function* grantHeldPage(v: number, grant: number, pg: number, readonly: number): Op {
  yield* getPage(pg);
  const ref = yield* gnttabGrantForeignAccess(v, BACKEND, pfnOf(pg), readonly);
  if (ref < 0) {
    yield* putPage(v, pg);
    return FUZZ_EMPTY;
  }
  yield* write(FuzzGrant.page.at(grant), pg);
  return ref;
}

/** Grants a page, if the place of the grant is empty. @param page - which one. */
export function* grantStep(v: number, grant: number, page: number, readonly: number): Op<void> {
  const word = FuzzGrant.ref.at(grant);
  if ((yield* claimEmpty(word)) === 0) return;
  let ref = FUZZ_EMPTY;
  const pg = yield* claimPlace(FuzzPage.page.at(page));
  if (pg >= 0) {
    ref = yield* grantHeldPage(v, grant, pg, readonly);
    yield* storeRelease(FuzzPage.page.at(page), pg);
  }
  yield* storeRelease(word, ref);
}

/** gnttab_try_end_foreign_access(); on success the page is the granter's alone. */
export function* endStep(v: number, grant: number): Op<void> {
  const word = FuzzGrant.ref.at(grant);
  const ref = yield* claimPlace(word);
  if (ref < 0) return;
  if ((yield* gnttabTryEndForeignAccess(v, ref)) === 0) {
    yield* storeRelease(word, ref);
    return;
  }
  yield* putPage(v, yield* read(FuzzGrant.page.at(grant)));
  yield* storeRelease(word, FUZZ_EMPTY);
}

/**
 * gnttab_end_foreign_access(). @param gives - 1: with the page, whose reference it takes; 0:
 * without, and the reference is dropped afterwards.
 */
export function* endDeferredStep(v: number, grant: number, gives: number): Op<void> {
  const word = FuzzGrant.ref.at(grant);
  const ref = yield* claimPlace(word);
  if (ref < 0) return;
  const pg = yield* read(FuzzGrant.page.at(grant));
  if (gives === 1) {
    yield* gnttabEndForeignAccess(v, ref, pg);
  } else {
    yield* gnttabEndForeignAccess(v, ref, NO_PAGE);
    yield* putPage(v, pg);
  }
  yield* storeRelease(word, FUZZ_EMPTY);
}

/** Writes to a page of its own. */
export function* stampStep(v: number, page: number): Op<void> {
  const word = FuzzPage.page.at(page);
  const pg = yield* claimPlace(word);
  if (pg < 0) return;
  yield* cpuStore(v, kernelBase() + pfnOf(pg), 0, pg);
  yield* storeRelease(word, pg);
}

/** Lets go of a page; it is free when its last grant has ended. */
export function* freePageStep(v: number, page: number): Op<void> {
  const word = FuzzPage.page.at(page);
  const pg = yield* claimPlace(word);
  if (pg < 0) return;
  yield* putPage(v, pg);
  yield* storeRelease(word, FUZZ_EMPTY);
}

/** Gets a page for an empty place. */
export function* newPageStep(v: number, page: number): Op<void> {
  const word = FuzzPage.page.at(page);
  if ((yield* claimEmpty(word)) === 0) return;
  const pg = yield* allocPage(v);
  yield* storeRelease(word, pg === NO_PAGE ? FUZZ_EMPTY : pg);
}
