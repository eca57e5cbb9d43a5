/**
 * The mappings of granted pages in the granter's own address space: drivers/xen/gntalloc.c,
 * gntalloc_mmap() and its VMA operations. These are ordinary pages of the domain: their entries are
 * normal ones with a reference and a mapcount each.
 */
import { domainOf } from '../../../hardware/params.ts';
import { mutexLock, mutexUnlock } from '../../../shared/mutex.ts';
import type { Op } from '../../../shared/op.ts';
import { read, write } from '../../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../../shared/slab.ts';
import { EINVAL, ENOENT, ENOMEM } from '../../errno.ts';
import { vmInsertPage } from '../../mm/insert-page.ts';
import { VM_OPS_GNTALLOC } from '../../mm/vm-ops.ts';
import { VM_DONTDUMP, VM_DONTEXPAND, VM_SHARED, Vma } from '../../mm/vma.ts';
import {
  Gntalloc,
  GntallocGref,
  GntallocVma,
  GntallocVmaBitmap,
  NO_GREF,
  delGref,
  dropGrefUser,
  findGrefs,
} from './gref.ts';
import { gntallocGetFile, gntallocPutFile } from './ioctl.ts';

/** Takes a user of each gref and inserts its page. The caller holds the mutex. */
function* insertGrefs(v: number, file: number, vma: number, count: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const index = yield* read(Vma.pgoff.at(vma));
  let error = 0;
  for (let i = 0; i < count; i++) {
    const gref = yield* findGrefs(file, index + i, 1);
    yield* write(GntallocGref.users.at(gref), (yield* read(GntallocGref.users.at(gref))) + 1);
    if (error !== 0) continue;
    error = yield* vmInsertPage(v, vma, start + i, yield* read(GntallocGref.page.at(gref)));
  }
  return error;
}

/**
 * drivers/xen/gntalloc.c: gntalloc_mmap()
 * @param v - vCPU of the task. @param file - file. @param vma - new VMA with its address, flags
 *   and offset in the file. @returns 0, or a negative error.
 */
export function* gntallocMmap(v: number, file: number, vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & VM_SHARED) === 0) return -EINVAL;
  const count = (yield* read(Vma.vmEnd.at(vma))) - (yield* read(Vma.vmStart.at(vma)));
  const mapping = yield* slabAlloc(GntallocVmaBitmap.value.word, GntallocVma.users.count);
  if (mapping < 0) return -ENOMEM;
  const mutex = Gntalloc.mutex.at(domainOf(v));
  yield* mutexLock(mutex);
  const gref = yield* findGrefs(file, yield* read(Vma.pgoff.at(vma)), count);
  if (gref === NO_GREF) {
    yield* mutexUnlock(mutex);
    yield* slabFree(GntallocVmaBitmap.value.word, mapping);
    return -ENOENT;
  }
  yield* write(GntallocVma.gref.at(mapping), gref);
  yield* write(GntallocVma.users.at(mapping), 1);
  yield* write(GntallocVma.count.at(mapping), count);
  yield* write(GntallocVma.file.at(mapping), file);
  yield* gntallocGetFile(file);
  yield* write(Vma.flags.at(vma), flags | VM_DONTEXPAND | VM_DONTDUMP);
  yield* write(Vma.ops.at(vma), VM_OPS_GNTALLOC);
  yield* write(Vma.privateData.at(vma), mapping);
  const error = yield* insertGrefs(v, file, vma, count);
  yield* mutexUnlock(mutex);
  if (error !== 0) yield* gntallocVmaClose(v, vma);
  return error;
}

/** drivers/xen/gntalloc.c: gntalloc_vma_open(). @param vma - copy of a VMA of gntalloc. */
export function* gntallocVmaOpen(v: number, vma: number): Op<void> {
  const mapping = yield* read(Vma.privateData.at(vma));
  const mutex = Gntalloc.mutex.at(domainOf(v));
  yield* mutexLock(mutex);
  const users = yield* read(GntallocVma.users.at(mapping));
  yield* write(GntallocVma.users.at(mapping), users + 1);
  yield* mutexUnlock(mutex);
}

/** Gives the mapping's users of its grefs back. The caller holds the mutex. */
function* dropMapping(v: number, mapping: number): Op<void> {
  const count = yield* read(GntallocVma.count.at(mapping));
  let gref = yield* read(GntallocVma.gref.at(mapping));
  const stride = GntallocGref.nextGref.stride;
  for (let i = 0; i < count; i++) {
    const node = yield* read(GntallocGref.nextGref.at(gref));
    if ((yield* dropGrefUser(gref)) === 0) yield* delGref(v, gref);
    gref = ((node - GntallocGref.nextGref.word) / stride) | 0;
  }
}

/** drivers/xen/gntalloc.c: gntalloc_vma_close(). @param vma - VMA that goes away, unmapped. */
export function* gntallocVmaClose(v: number, vma: number): Op<void> {
  const mapping = yield* read(Vma.privateData.at(vma));
  const file = yield* read(GntallocVma.file.at(mapping));
  const mutex = Gntalloc.mutex.at(domainOf(v));
  yield* mutexLock(mutex);
  const users = (yield* read(GntallocVma.users.at(mapping))) - 1;
  yield* write(GntallocVma.users.at(mapping), users);
  if (users === 0) yield* dropMapping(v, mapping);
  yield* mutexUnlock(mutex);
  if (users > 0) return;
  yield* slabFree(GntallocVmaBitmap.value.word, mapping);
  yield* gntallocPutFile(v, file);
}
