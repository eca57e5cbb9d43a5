/**
 * What a fuzzed program finds: a process with an open gntdev file, three pages of the granting
 * domain, and a grant of each, the first page being granted twice.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { gnttabGrantForeignAccess } from '../../linux/drivers/grant-table.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { getPage, pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, writeLocal } from '../../shared/operations.ts';
import { BACKEND, FRONTEND, startProcess } from '../process.ts';
import { runFuzzSteps } from './interpreter.ts';
import { FUZZ_EMPTY, FuzzGrant, FuzzPage, FuzzRun, FuzzSlot } from './tables.ts';

/** Row of the prologue. */
export const FUZZ_PROLOGUE = 0;

/** The pages, and their grants. */
function* grantPages(): Op<void> {
  const v = firstVcpuOf(FRONTEND);
  const pages = FuzzPage.page.count;
  for (let i = 0; i < pages; i++) writeLocal(FuzzPage.page.at(i), yield* allocPage(v));
  for (let i = 0; i < FuzzGrant.ref.count; i++) {
    const pg = readLocal(FuzzPage.page.at(i % pages));
    yield* getPage(pg);
    writeLocal(FuzzGrant.page.at(i), pg);
    writeLocal(FuzzGrant.ref.at(i), yield* gnttabGrantForeignAccess(v, BACKEND, pfnOf(pg), 0));
  }
}

/**
 * Arranges pages and grants, starts the process, and runs the prologue.
 * @param threads - of the process.
 */
export function* arrangeFuzz(threads: number): Op<void> {
  yield* grantPages();
  for (let i = 0; i < FuzzSlot.index.count; i++) writeLocal(FuzzSlot.index.at(i), FUZZ_EMPTY);
  yield* startProcess(Math.max(threads, 1));
  writeLocal(FuzzRun.threads.word, threads);
  yield* runFuzzSteps(firstVcpuOf(BACKEND), FUZZ_PROLOGUE);
}
