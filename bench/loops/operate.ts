/**
 * Single operations of the mapping side, in pieces, so that each can be timed by itself. `v` is the
 * vCPU, `own` its own address; counts are pages. Results are as the kernel's: negative for an
 * error.
 */
import { gntdevMapGrantRef, gntdevUnmapGrantRef } from '../../src/linux/drivers/gntdev/ioctl.ts';
import { getUserPagesFast } from '../../src/linux/mm/gup-fast.ts';
import { FOLL_WRITE, gupPut } from '../../src/linux/mm/gup.ts';
import { CurrentMm } from '../../src/linux/mm/mm-life.ts';
import { mmapRegion } from '../../src/linux/mm/mmap.ts';
import { doMunmap } from '../../src/linux/mm/munmap.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../src/linux/mm/vma.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_GNTDEV } from '../../src/linux/mm/vm-ops.ts';
import type { Op } from '../../src/shared/op.ts';
import { readLocal } from '../../src/shared/operations.ts';
import { BenchArgument } from '../tables.ts';
import { ARG_GRANTS } from './change.ts';

const ARG_PAGES = 16;

/** Grants into user space: the ioctl and mmap. @returns page offset of the map. */
export function* mapGrants(v: number, own: number, fd: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  const index = yield* gntdevMapGrantRef(v, fd, BenchArgument.value.at2(v, ARG_GRANTS), count);
  if (index < 0) return index;
  const flags = VM_READ | VM_WRITE | VM_SHARED;
  const vpn = yield* mmapRegion(v, mm, own, count, flags, VM_OPS_GNTDEV, fd, index);
  return vpn < 0 ? vpn : index;
}

/** And out of it: munmap and the ioctl. @param index - what mapGrants gave. */
export function* unmapGrants(v: number, own: number, fd: number, count: number, index: number): Op {
  const status = yield* doMunmap(v, readLocal(CurrentMm.value.at(v)), own, count);
  return status | (yield* gntdevUnmapGrantRef(v, fd, index, count));
}

/** Anonymous memory, without pages yet. */
export function* mapAnonymous(v: number, own: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  const flags = VM_READ | VM_WRITE;
  return yield* mmapRegion(v, mm, own, count, flags, VM_OPS_ANONYMOUS, -1, 0);
}

/** munmap of some pages. */
export function* unmapPages(v: number, own: number, count: number): Op {
  return yield* doMunmap(v, readLocal(CurrentMm.value.at(v)), own, count);
}

/** get_user_pages_fast() of `count` pages, the slow path where it must be. @returns pages. */
export function* takePages(v: number, own: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  const out = BenchArgument.value.at2(v, ARG_PAGES);
  return yield* getUserPagesFast(v, mm, own, count, FOLL_WRITE, out);
}

/** Gives back what takePages took. @param count - what it returned. */
export function* putPages(v: number, count: number): Op<void> {
  const out = BenchArgument.value.at2(v, ARG_PAGES);
  for (let i = 0; i < count; i++) yield* gupPut(v, readLocal(out + i), FOLL_WRITE);
}
