/**
 * gntdev of the classic kernel (linux-2.6.18-xen, drivers/xen/gntdev/gntdev.c): gntdev_mmap().
 * Under grants_sem: 1. the slots are not mapped yet. 2. the VMA is VM_FOREIGN, with an array of
 * page pointers of its length as private data. 3. for each page: map it at the kernel's address;
 * the array; the slot; map it into the PTE; the P2M. Two hypercalls a page, the kernel's first.
 *
 * An error leaves what was mapped to zap_pte, which needs the slots: the array is freed and the
 * file put in its place.
 */
import { kernelBase } from '../../../../hardware/params.ts';
import { pteMfn } from '../../../../hardware/paging.ts';
import type { Op } from '../../../../shared/op.ts';
import { read, readOnce, trace, write } from '../../../../shared/operations.ts';
import { downWrite, upWrite } from '../../../../shared/rwsem.ts';
import { slabFree } from '../../../../shared/slab.ts';
import { gnttabMapGrantRef } from '../../../../xen/grant-table/map.ts';
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_host_map,
  GNTMAP_readonly,
  MAP_HANDLE,
  MAP_STATUS,
} from '../../../../xen/public/grant-table.ts';
import {
  PageArrayBitmap,
  PageSlot,
  arrayOfSlot,
  pageArrayAlloc,
} from '../../../designs/vma-pages.ts';
import { EINVAL, ENOMEM } from '../../../errno.ts';
import { FOREIGN_FRAME_BIT, setPhysToMachine } from '../../../mm/p2m.ts';
import { pfnOf } from '../../../mm/page.ts';
import { pteAlloc } from '../../../mm/pgtable.ts';
import { VM_OPS_GNTDEV } from '../../../mm/vm-ops.ts';
import { VM_DONTCOPY, VM_FOREIGN, VM_WRITE, Vma } from '../../../mm/vma.ts';
import { TRACE_GRANT_MAP } from '../../../tracepoints.ts';
import { gnttabSetMapOp } from '../../map-refs.ts';
import { gntdevGetFile, gntdevPutFile } from '../file.ts';
import { TaskKmapOp, TaskMapOp } from '../map-pages.ts';
import { ClassicFile, ClassicSlot, SLOT_MAPPED, SLOT_NOT_YET_MAPPED } from './slots.ts';

/** One map operation of a slot. @returns GNTST_*, the handle in the record. */
function* mapSlot(v: number, fd: number, slot: number, op: number, to: number, flags: number): Op {
  const ref = yield* read(ClassicSlot.ref.at2(fd, slot));
  gnttabSetMapOp(op, to, flags, ref, yield* read(ClassicSlot.domid.at2(fd, slot)));
  yield* gnttabMapGrantRef(v, op, 1);
  return yield* read(op + MAP_STATUS);
}

/** Step 3 for one page. @param i - index in the VMA. @returns 0 or -ENOMEM. */
function* mapPage(v: number, fd: number, slot: number, vma: number, i: number): Op {
  const mm = yield* read(Vma.mm.at(vma));
  const vpn = (yield* read(Vma.vmStart.at(vma))) + i;
  const writable = ((yield* read(Vma.flags.at(vma))) & VM_WRITE) !== 0;
  const flags = GNTMAP_host_map | (writable ? 0 : GNTMAP_readonly);
  const pg = yield* read(ClassicSlot.page.at2(fd, slot));
  const kmapOp = TaskKmapOp.hostAddr.at2(v, 0);
  trace(TRACE_GRANT_MAP, vpn, pg, mm);
  if ((yield* mapSlot(v, fd, slot, kmapOp, kernelBase() + pfnOf(pg), flags)) !== 0) return -ENOMEM;
  const array = yield* read(Vma.privateData.at(vma));
  yield* write(array + i * PageSlot.value.stride, pg);
  yield* write(ClassicSlot.kernelHandle.at2(fd, slot), yield* read(kmapOp + MAP_HANDLE));
  yield* write(ClassicSlot.state.at2(fd, slot), SLOT_MAPPED);
  const ptep = yield* pteAlloc(v, mm, vpn);
  if (ptep < 0) return -ENOMEM;
  const mapOp = TaskMapOp.hostAddr.at2(v, 0);
  const userFlags = flags | GNTMAP_application_map | GNTMAP_contains_pte;
  if ((yield* mapSlot(v, fd, slot, mapOp, ptep, userFlags)) !== 0) return -ENOMEM;
  yield* write(ClassicSlot.userHandle.at2(fd, slot), yield* read(mapOp + MAP_HANDLE));
  const mfn = pteMfn(yield* readOnce(ptep));
  yield* setPhysToMachine(v, pfnOf(pg), mfn | FOREIGN_FRAME_BIT);
  return 0;
}

/** Step 1. The caller holds the semaphore. @returns 0 or -EINVAL. */
function* checkSlots(fd: number, first: number, count: number): Op {
  if (first + count > ClassicSlot.state.count) return -EINVAL;
  for (let i = 0; i < count; i++) {
    if ((yield* read(ClassicSlot.state.at2(fd, first + i))) !== SLOT_NOT_YET_MAPPED) return -EINVAL;
  }
  return 0;
}

/** Steps 2 and 3. The caller holds the semaphore. @returns 0 or -ENOMEM. */
function* mapSlots(v: number, fd: number, first: number, vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  const start = yield* read(Vma.vmStart.at(vma));
  const count = (yield* read(Vma.vmEnd.at(vma))) - start;
  yield* write(Vma.ops.at(vma), VM_OPS_GNTDEV);
  yield* write(Vma.flags.at(vma), flags | VM_FOREIGN | VM_DONTCOPY);
  const array = yield* pageArrayAlloc(start, count);
  if (array < 0) return -ENOMEM;
  yield* write(Vma.privateData.at(vma), PageSlot.value.at2(array, 0));
  for (let i = 0; i < count; i++) {
    if ((yield* mapPage(v, fd, first + i, vma, i)) === 0) continue;
    yield* slabFree(PageArrayBitmap.value.word, array);
    yield* write(Vma.privateData.at(vma), fd);
    return -ENOMEM;
  }
  return 0;
}

/**
 * drivers/xen/gntdev/gntdev.c: gntdev_mmap()
 * @param v - vCPU of the task. @param fd - file. @param vma - new VMA.
 * @returns 0, or a negative error: then the caller unmaps what there is, with a VMA without file.
 */
export function* mmapClassic(v: number, fd: number, vma: number): Op {
  const first = yield* read(Vma.pgoff.at(vma));
  const count = (yield* read(Vma.vmEnd.at(vma))) - (yield* read(Vma.vmStart.at(vma)));
  yield* downWrite(ClassicFile.grantsSem.at(fd));
  let status = yield* checkSlots(fd, first, count);
  if (status === 0) {
    yield* gntdevGetFile(fd);
    yield* write(Vma.file.at(vma), fd);
    status = yield* mapSlots(v, fd, first, vma);
    if (status !== 0) {
      yield* write(Vma.file.at(vma), -1);
      yield* gntdevPutFile(v, fd);
    }
  }
  yield* upWrite(ClassicFile.grantsSem.at(fd));
  return status;
}

/** The array of a VMA (vm_private_data). @param vma - VMA of gntdev. @returns its number. */
export function* arrayOfVma(vma: number): Op {
  return arrayOfSlot(yield* read(Vma.privateData.at(vma)));
}
