/**
 * The steps of a thread of the process that maps grants: system calls in any order, with any
 * addresses, which a user program may make; and what the kernel does for its direct I/O, which it
 * does in the right order: it uses the pages that it holds, and puts each of them once.
 *
 * Addresses are pages of a short range that spans two page tables. A thread that holds pages puts
 * them before it makes another system call, for its I/O is synchronous; it may look up more pages
 * before that, as fs/direct-io.c does while it fills a bio.
 */
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { kernelBase } from '../../hardware/params.ts';
import {
  gntdevMapGrantRef,
  gntdevSetUnmapNotify,
  gntdevUnmapGrantRef,
} from '../../linux/drivers/gntdev/ioctl.ts';
import { getUserPagesFast } from '../../linux/mm/gup-fast.ts';
import { FOLL_WRITE, getUserPages } from '../../linux/mm/gup.ts';
import { madviseDontneed } from '../../linux/mm/madvise.ts';
import { mmapRegion } from '../../linux/mm/mmap.ts';
import { mprotect } from '../../linux/mm/mprotect.ts';
import { mremap } from '../../linux/mm/mremap.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { pfnOf, putPage } from '../../linux/mm/page.ts';
import { userLoad, userStore } from '../../linux/mm/user-access.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_GNTDEV } from '../../linux/mm/vm-ops.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../linux/mm/vma.ts';
import type { Op } from '../../shared/op.ts';
import {
  cmpxchg,
  read,
  readLocal,
  readOnce,
  storeRelease,
  warnOn,
  write,
  writeLocal,
} from '../../shared/operations.ts';
import { BUG_HELD_PAGE_FAULT } from '../bugs.ts';
import { FRONTEND, RaceProcess } from '../process.ts';
import {
  FUZZ_EMPTY,
  FuzzActor,
  FuzzArgument,
  FuzzGrant,
  FuzzHeld,
  FuzzSlot,
  claimEmpty,
} from './tables.ts';
import { UNMAP_NOTIFY_CLEAR_BYTE } from '../../linux/uapi/gntdev.ts';

/** Address of page 0 of a program. */
const BASE = 5;
/** Pages from there on that programs reach: 8 places, and the longest range. */
const SPAN = 11;

function vpnOf(page: number): number {
  return BASE + page;
}

function mmOfProcess(): number {
  return readLocal(RaceProcess.mm.word);
}

/** Puts all pages that the thread holds. @param actor - the thread. */
export function* putHeld(v: number, actor: number): Op<void> {
  const held = readLocal(FuzzActor.held.at(actor));
  writeLocal(FuzzActor.held.at(actor), 0);
  for (let i = 0; i < held; i++) yield* putPage(v, readLocal(FuzzHeld.page.at2(actor, i)));
}

/** Copies references for the ioctl. @returns how many of the grants exist. */
function* collectGrants(actor: number, first: number, count: number): Op {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const ref = yield* readOnce(FuzzGrant.ref.at((first + i) % FuzzGrant.ref.count));
    if (ref < 0) continue;
    writeLocal(FuzzArgument.domid.at2(actor, found), FRONTEND);
    writeLocal(FuzzArgument.ref.at2(actor, found), ref);
    found++;
  }
  return found;
}

/** The ioctl for a slot that is empty. */
function* fillSlot(v: number, actor: number, slot: number, first: number, count: number): Op<void> {
  const word = FuzzSlot.index.at(slot);
  if ((yield* claimEmpty(word)) === 0) return;
  const found = yield* collectGrants(actor, first, count);
  const fd = readLocal(RaceProcess.fd.word);
  let index = FUZZ_EMPTY;
  if (found > 0) {
    index = yield* gntdevMapGrantRef(v, fd, FuzzArgument.domid.at2(actor, 0), found);
  }
  yield* write(FuzzSlot.count.at(slot), found);
  yield* storeRelease(word, index < 0 ? FUZZ_EMPTY : index);
}

/**
 * mmap of a slot's map; if the slot is empty, its ioctl first.
 * @param first - first grant. @param count - grants. @param page - address.
 * @param readonly - 1 to map for reading only.
 */
export function* mapStep(
  v: number,
  actor: number,
  slot: number,
  first: number,
  count: number,
  page: number,
  readonly: number,
): Op<void> {
  yield* fillSlot(v, actor, slot, first, count);
  const index = yield* readOnce(FuzzSlot.index.at(slot));
  if (index < 0) return;
  const pages = yield* read(FuzzSlot.count.at(slot));
  const flags = VM_READ | VM_SHARED | (readonly === 0 ? VM_WRITE : 0);
  const fd = readLocal(RaceProcess.fd.word);
  yield* mmapRegion(v, mmOfProcess(), vpnOf(page), pages, flags, VM_OPS_GNTDEV, fd, index);
}

/** IOCTL_GNTDEV_UNMAP_GRANT_REF of a slot's map. */
export function* unmapIoctlStep(v: number, slot: number): Op<void> {
  const word = FuzzSlot.index.at(slot);
  const index = yield* readOnce(word);
  if (index < 0) return;
  const count = yield* read(FuzzSlot.count.at(slot));
  if ((yield* cmpxchg(word, index, FUZZ_EMPTY)) !== index) return;
  yield* gntdevUnmapGrantRef(v, readLocal(RaceProcess.fd.word), index, count);
}

/** IOCTL_GNTDEV_SET_UNMAP_NOTIFY. @param page - of the map. @param clear - 1: clear its word 0. */
export function* notifyStep(v: number, slot: number, page: number, clear: number): Op<void> {
  const index = yield* readOnce(FuzzSlot.index.at(slot));
  if (index < 0) return;
  const action = clear === 0 ? 0 : UNMAP_NOTIFY_CLEAR_BYTE;
  yield* gntdevSetUnmapNotify(v, readLocal(RaceProcess.fd.word), index + page, 0, action, 0);
}

/** munmap(2). */
export function* munmapStep(v: number, page: number, count: number): Op<void> {
  yield* doMunmap(v, mmOfProcess(), vpnOf(page), count);
}

/** mprotect(2). @param access - 0 nothing, 1 reading, 2 writing too. */
export function* mprotectStep(v: number, page: number, count: number, access: number): Op<void> {
  const flags = (access > 0 ? VM_READ : 0) | (access > 1 ? VM_WRITE : 0);
  yield* mprotect(v, mmOfProcess(), vpnOf(page), count, flags);
}

/** madvise(2), MADV_DONTNEED. */
export function* dontneedStep(v: number, page: number, count: number): Op<void> {
  yield* madviseDontneed(v, mmOfProcess(), vpnOf(page), count);
}

/** mremap(2) to another address. */
export function* mremapStep(v: number, page: number, count: number, to: number): Op<void> {
  yield* mremap(v, mmOfProcess(), vpnOf(page), count, vpnOf(to));
}

/** mmap(2) of anonymous memory over whatever is there. */
export function* anonymousStep(v: number, page: number, count: number): Op<void> {
  const flags = VM_READ | VM_WRITE;
  yield* mmapRegion(v, mmOfProcess(), vpnOf(page), count, flags, VM_OPS_ANONYMOUS, -1, 0);
}

/**
 * Looks a page up and holds it. @param writes - 1 to write to it.
 * @param keeps - 1: along with those it holds already. @param fast - 1: without locks, as far as
 *   that goes.
 */
export function* gupStep(
  v: number,
  actor: number,
  page: number,
  writes: number,
  keeps: number,
  fast: number,
): Op<void> {
  if (keeps === 0) yield* putHeld(v, actor);
  const held = readLocal(FuzzActor.held.at(actor));
  if (held === FuzzHeld.page.count) return;
  const out = FuzzHeld.page.at2(actor, held);
  const flags = writes === 0 ? 0 : FOLL_WRITE;
  let got = 0;
  if (fast === 1) got = yield* getUserPagesFast(v, mmOfProcess(), vpnOf(page), 1, flags, out);
  else got = yield* getUserPages(v, mmOfProcess(), vpnOf(page), 1, flags, out);
  if (got !== 1) return;
  writeLocal(FuzzHeld.write.at2(actor, held), writes);
  writeLocal(FuzzActor.held.at(actor), held + 1);
}

/** The I/O itself: reaches the pages that are held at the kernel's address. */
export function* touchStep(v: number, actor: number): Op<void> {
  const held = readLocal(FuzzActor.held.at(actor));
  for (let i = 0; i < held; i++) {
    const pg = readLocal(FuzzHeld.page.at2(actor, i));
    const vpn = kernelBase() + pfnOf(pg);
    let fault = 0;
    if (readLocal(FuzzHeld.write.at2(actor, i)) === 0) fault = yield* cpuLoad(v, vpn, 0);
    else fault = yield* cpuStore(v, vpn, 0, actor);
    warnOn(fault !== 0, BUG_HELD_PAGE_FAULT, pg, fault);
  }
}

/** A load or store of the user program. */
export function* userStep(v: number, actor: number, page: number, stores: number): Op<void> {
  if (stores === 0) yield* userLoad(v, mmOfProcess(), vpnOf(page), 0);
  else yield* userStore(v, mmOfProcess(), vpnOf(page), 0, actor);
}

/** The process ends in good order: no mapping and no map is left. */
export function* endProcess(v: number): Op<void> {
  yield* doMunmap(v, mmOfProcess(), BASE, SPAN);
  for (let slot = 0; slot < FuzzSlot.index.count; slot++) yield* unmapIoctlStep(v, slot);
}
