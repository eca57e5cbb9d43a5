/**
 * What a writer does beside the readers, turn by turn, with entries of its own: unmaps, maps again
 * and splits, by the simulated kernel's own calls. Every turn leaves things as it found them.
 *
 * All alike: `v` is the vCPU that runs; `own` is the writer's own entry, address or array; the
 * result is 0, or a negative number if the kernel refused something.
 */
import { domainOf, kernelVcpuOf } from '../../src/hardware/params.ts';
import {
  DmaHandle,
  dmaHandleCreate,
  dmaHandleRelease,
  dmaHandleTake,
} from '../../src/linux/designs/dma-handles.ts';
import { m2pOverrideMap, m2pOverrideUnmap } from '../../src/linux/designs/m2p-override.ts';
import { gntdevMapGrantRef, gntdevUnmapGrantRef } from '../../src/linux/drivers/gntdev/ioctl.ts';
import { gnttabSetMapOp } from '../../src/linux/drivers/map-refs.ts';
import { runDeferred } from '../../src/linux/drivers/workqueue.ts';
import { FOLL_WRITE, getUserPages, gupPut } from '../../src/linux/mm/gup.ts';
import { CurrentMm } from '../../src/linux/mm/mm-life.ts';
import { mmapRegion } from '../../src/linux/mm/mmap.ts';
import { doMunmap } from '../../src/linux/mm/munmap.ts';
import { INVALID_P2M_ENTRY, setPhysToMachine } from '../../src/linux/mm/p2m.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../src/linux/mm/vma.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_GNTDEV } from '../../src/linux/mm/vm-ops.ts';
import { advanceClock } from '../../src/shared/clock.ts';
import { Deferred } from '../../src/shared/deferred.ts';
import { delayOfNextWork } from '../../src/shared/delayed-work.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  cmpxchg,
  readLocal,
  readOnce,
  storeRelease,
  writeLocal,
} from '../../src/shared/operations.ts';
import {
  INVALID_MAPTRACK_HANDLE,
  Maptrack,
  getMaptrackHandle,
  putMaptrackHandle,
} from '../../src/xen/grant-table/maptrack.ts';
import { setGpfnFromMfn } from '../../src/xen/m2p.ts';
import { GNTMAP_host_map, MAP_DEV_BUS_ADDR } from '../../src/xen/public/grant-table.ts';
import { INVALID_M2P_ENTRY } from '../../src/xen/public/xen.ts';
import { Bench, BenchArgument } from '../tables.ts';

/** Pages that a turn maps. */
export const TURN_PAGES = 8;

/** Words of BenchArgument: a map operation, pages, references that were taken, grants. */
const ARG_OP = 0;
const ARG_PAGES = 16;
export const ARG_GRANTS = 16 + 512;

/** The domain's kernel thread makes the calls that were deferred; one thread at a time is it. */
export function* serveDeferred(v: number): Op<void> {
  const d = domainOf(v);
  if ((yield* readOnce(Deferred.pending.at(d))) === 0) return;
  if ((yield* cmpxchg(Bench.kernelThread.word, 0, 1)) !== 0) return;
  if ((yield* runDeferred(kernelVcpuOf(d))) === 0) {
    const delay = yield* delayOfNextWork(d);
    if (delay > 0) yield* advanceClock(delay);
  }
  yield* storeRelease(Bench.kernelThread.word, 0);
}

/** Anonymous memory: map, touch, cut a page out of the middle, unmap. @param own - first vpn. */
export function* turnAnonymous(v: number, own: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  const pages = BenchArgument.value.at2(v, ARG_PAGES);
  const flags = VM_READ | VM_WRITE;
  const vpn = yield* mmapRegion(v, mm, own, TURN_PAGES, flags, VM_OPS_ANONYMOUS, -1, 0);
  if (vpn < 0) return vpn;
  const got = yield* getUserPages(v, mm, own, TURN_PAGES, FOLL_WRITE, pages);
  for (let i = 0; i < got; i++) yield* gupPut(v, readLocal(pages + i), FOLL_WRITE);
  const cut = yield* doMunmap(v, mm, own + (TURN_PAGES >> 1), 1);
  const rest = yield* doMunmap(v, mm, own, TURN_PAGES);
  yield* serveDeferred(v);
  return got === TURN_PAGES ? cut | rest : -1;
}

/**
 * Grants through gntdev: map, split or not, unmap.
 * @param own - first vpn. @param fd - the writer's open file. @param count - grants, of those that
 *   ARG_GRANTS names. @param split - 1 to cut a page out of the middle first.
 */
export function* turnGrants(v: number, own: number, fd: number, count: number, split: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  const index = yield* gntdevMapGrantRef(v, fd, BenchArgument.value.at2(v, ARG_GRANTS), count);
  if (index < 0) return index;
  const flags = VM_READ | VM_WRITE | VM_SHARED;
  const vpn = yield* mmapRegion(v, mm, own, count, flags, VM_OPS_GNTDEV, fd, index);
  let status = vpn < 0 ? vpn : 0;
  if (status === 0 && split !== 0) status = yield* doMunmap(v, mm, own + (count >> 1), 1);
  if (vpn >= 0) status |= yield* doMunmap(v, mm, own, count);
  status |= yield* gntdevUnmapGrantRef(v, fd, index, count);
  yield* serveDeferred(v);
  return status;
}

/** m2p_override: off the hash and on again. @param mfn - frame. @param own - the page over it. */
export function* turnOverride(v: number, own: number, mfn: number): Op {
  const op = BenchArgument.value.at2(v, ARG_OP);
  const pages = BenchArgument.value.at2(v, ARG_PAGES);
  writeLocal(pages, own);
  const status = yield* m2pOverrideUnmap(v, 0, pages, 1);
  if (status !== 0) return status;
  gnttabSetMapOp(op, 0, GNTMAP_host_map, 0, 1);
  writeLocal(op + MAP_DEV_BUS_ADDR, mfn);
  return yield* m2pOverrideMap(v, op, 0, pages, 1);
}

/** Maptrack: a handle taken and put back. */
export function* turnHandle(v: number): Op {
  const handle = yield* getMaptrackHandle(v);
  if (handle === INVALID_MAPTRACK_HANDLE) return -1;
  writeLocal(Maptrack.flags.at2(domainOf(v), handle), 0);
  yield* putMaptrackHandle(v, handle);
  return 0;
}

/** P2M: an entry invalid and valid again. @param own - pfn. @param mfn - its frame. */
export function* turnP2m(v: number, own: number, mfn: number): Op {
  yield* setPhysToMachine(v, own, INVALID_P2M_ENTRY);
  yield* setPhysToMachine(v, own, mfn);
  return 0;
}

/** M2P: an entry invalid and valid again. @param own - mfn. @param pfn - its number. */
export function* turnM2p(own: number, pfn: number): Op {
  yield* setGpfnFromMfn(own, INVALID_M2P_ENTRY);
  yield* setGpfnFromMfn(own, pfn);
  return 0;
}

/** DMA: a page mapped and unmapped by its handle. @param own - page. */
export function* turnDmaHandle(own: number): Op {
  const handle = yield* dmaHandleCreate(own, own, -1, 1, 0);
  if (handle < 0) return handle;
  const index = yield* dmaHandleTake(handle);
  if (index < 0 || readLocal(DmaHandle.page.at(index)) !== own) return -1;
  yield* dmaHandleRelease(index);
  return 0;
}
