/** All programs, by the names under which the command line knows them. */
import { reorder, twostage } from './bugs/reorder.ts';
import { safestack } from './bugs/safestack.ts';
import { workStealQueue, workStealQueueWrong } from './bugs/work-steal-queue.ts';
import { big0 } from './counted/big0.ts';
import { coa } from './counted/coa.ts';
import { fibBench } from './counted/fib-bench.ts';
import { filesystem } from './counted/filesystem.ts';
import {
  ainc,
  binc,
  cas,
  casw,
  cinc,
  inc,
  lockedIncrement,
  lostUpdate,
  rw,
  wainc,
} from './counted/increments.ts';
import { indexer } from './counted/indexer.ts';
import { lastzero } from './counted/lastzero.ts';
import { readers } from './counted/readers.ts';
import { bakery, bakeryUnfenced, bakeryWrong } from './locks/bakery.ts';
import { dekker, dekkerF, dekkerUnfenced, dekkerWrong } from './locks/dekker.ts';
import { lamportFast, lamportFastUnfenced, lamportFastWrong } from './locks/lamport-fast.ts';
import { mcsLock, mcsLockWrong } from './locks/mcs.ts';
import { peterson, petersonRelaxed, petersonUnfenced, petersonWrong } from './locks/peterson.ts';
import { linuxRwlock, linuxRwlockWrong } from './locks/rwlock.ts';
import { seqlock, seqlockTwoReaders, seqlockWrong } from './locks/seqlock.ts';
import { ticketLock, ticketLockWrong, ttasLock, ttasLockWrong } from './locks/spinlocks.ts';
import { szymanski, szymanskiUnfenced, szymanskiWrong } from './locks/szymanski.ts';
import type { Program } from './program.ts';
import { barrier, barrierWrong } from './structures/barrier.ts';
import { chaseLev, chaseLevUnfenced, chaseLevWrong } from './structures/chase-lev.ts';
import { mpmcRing, mpmcRingWrong } from './structures/mpmc-ring.ts';
import { msQueue, msQueueWrong } from './structures/ms-queue.ts';
import { spscRing, spscRingWrong } from './structures/spsc-ring.ts';
import { treiberStack, treiberStackWrong } from './structures/treiber-stack.ts';

/** Programs with published counts, then locks, structures, and bugs that are hard to find. */
export const programs: readonly Program[] = [
  readers,
  lastzero,
  indexer,
  filesystem,
  ainc,
  binc,
  cinc,
  inc,
  rw,
  wainc,
  cas,
  casw,
  coa,
  fibBench,
  big0,
  lostUpdate,
  lockedIncrement,
  dekkerF,
  petersonRelaxed,
  peterson,
  petersonUnfenced,
  petersonWrong,
  dekker,
  dekkerUnfenced,
  dekkerWrong,
  szymanski,
  szymanskiUnfenced,
  szymanskiWrong,
  bakery,
  bakeryUnfenced,
  bakeryWrong,
  lamportFast,
  lamportFastUnfenced,
  lamportFastWrong,
  ticketLock,
  ticketLockWrong,
  ttasLock,
  ttasLockWrong,
  mcsLock,
  mcsLockWrong,
  linuxRwlock,
  linuxRwlockWrong,
  seqlock,
  seqlockTwoReaders,
  seqlockWrong,
  treiberStack,
  treiberStackWrong,
  msQueue,
  msQueueWrong,
  chaseLev,
  chaseLevUnfenced,
  chaseLevWrong,
  spscRing,
  spscRingWrong,
  mpmcRing,
  mpmcRingWrong,
  barrier,
  barrierWrong,
  workStealQueue,
  workStealQueueWrong,
  safestack,
  reorder,
  twostage,
];

/** The program of this name, if there is one. */
export function programOf(name: string): Program | undefined {
  return programs.find((program) => program.name === name);
}
