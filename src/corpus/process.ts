/**
 * What the seed's questions have in common: a process of domain 0 whose threads run on vCPUs of
 * that domain, with an open gntdev file, and frames that domain 1 has granted to it.
 */
import { cpuLoad } from '../hardware/access.ts';
import { firstVcpuOf, kernelBase } from '../hardware/params.ts';
import { gntdevOpen } from '../linux/drivers/gntdev/file.ts';
import { gntdevMapGrantRef, gntdevUnmapGrantRef } from '../linux/drivers/gntdev/ioctl.ts';
import { gnttabGrantForeignAccess } from '../linux/drivers/grant-table.ts';
import { getUserPagesFast } from '../linux/mm/gup-fast.ts';
import { FOLL_WRITE } from '../linux/mm/gup.ts';
import { mmapRegion } from '../linux/mm/mmap.ts';
import { mmCreate, switchMm } from '../linux/mm/mm-life.ts';
import { allocPage } from '../linux/mm/page-alloc.ts';
import { pfnOf } from '../linux/mm/page.ts';
import { VM_OPS_GNTDEV } from '../linux/mm/vm-ops.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../linux/mm/vma.ts';
import type { Op } from '../shared/op.ts';
import { readLocal, warnOn, writeLocal } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { BUG_HELD_PAGE_FAULT } from './bugs.ts';

/** The domain that maps, and the domain that grants. */
export const BACKEND = 0;
export const FRONTEND = 1;

export const RaceProcess = defineTable('race.process', [], {
  mm: '[BOOT] address space that the threads share',
  fd: '[BOOT] its open gntdev file',
  vpn: '[BOOT] address of what is mapped before the race begins',
  index: '[BOOT] offset of its map in the file',
});

/** struct ioctl_gntdev_grant_ref, ready for the ioctl. */
export const RaceGrant = defineTable('race.grant[%]', ['raceGrants'], {
  domid: '[BOOT] who grants it',
  ref: '[BOOT] grant reference',
});

/** Pages that get_user_pages returned, for each vCPU. */
export const RacePage = defineTable('%v.race_page[%]', ['vcpus', 'raceGrants'], {
  value: '[CPU] a page that the thread holds',
});

export const corpusTables = [RaceProcess, RaceGrant, RacePage];
export const corpusDefaults = { raceGrants: 4 };

/** A new process whose threads run on the first `threads` vCPUs of the backend domain. */
export function* startProcess(threads: number): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const mm = yield* mmCreate(v);
  for (let i = 0; i < threads; i++) yield* switchMm(v + i, mm);
  writeLocal(RaceProcess.mm.word, mm);
  writeLocal(RaceProcess.fd.word, yield* gntdevOpen(v, mm));
}

/** The frontend grants a page of its own. @param slot - where to note the reference. */
export function* grantPage(slot: number): Op {
  const pg = yield* allocPage(firstVcpuOf(FRONTEND));
  yield* grantPageAgain(slot, pg);
  return pg;
}

/** The frontend grants this page, perhaps once more. @param pg - its page. */
export function* grantPageAgain(slot: number, pg: number): Op<void> {
  const v = firstVcpuOf(FRONTEND);
  writeLocal(RaceGrant.domid.at(slot), FRONTEND);
  writeLocal(RaceGrant.ref.at(slot), yield* gnttabGrantForeignAccess(v, BACKEND, pfnOf(pg), 0));
}

/**
 * Maps grants into the process: the ioctl, then mmap.
 * @param slot - first of `count` noted references. @param start - address.
 * @returns offset of the map in the file, or a negative errno.
 */
export function* mapGrants(v: number, slot: number, count: number, start: number): Op {
  const fd = readLocal(RaceProcess.fd.word);
  const mm = readLocal(RaceProcess.mm.word);
  const index = yield* gntdevMapGrantRef(v, fd, RaceGrant.domid.at(slot), count);
  if (index < 0) return index;
  const flags = VM_READ | VM_WRITE | VM_SHARED;
  const vpn = yield* mmapRegion(v, mm, start, count, flags, VM_OPS_GNTDEV, fd, index);
  if (vpn >= 0) return index;
  yield* gntdevUnmapGrantRef(v, fd, index, count);
  return vpn;
}

/** Direct I/O's look-up of a user page. @returns 1 with the page in RacePage, or less. */
export function* pinUserPage(v: number, vpn: number): Op {
  const mm = readLocal(RaceProcess.mm.word);
  return yield* getUserPagesFast(v, mm, vpn, 1, FOLL_WRITE, RacePage.value.at2(v, 0));
}

/**
 * The kernel reads a page that it holds, at its own address, as a driver without DMA does. A fault
 * there is an oops.
 */
export function* useHeldPage(v: number, pg: number): Op<void> {
  const fault = yield* cpuLoad(v, kernelBase() + pfnOf(pg), 0);
  warnOn(fault !== 0, BUG_HELD_PAGE_FAULT, pg, fault);
}
