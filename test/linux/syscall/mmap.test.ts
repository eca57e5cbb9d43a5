/**
 * Goal: mmap, munmap, mprotect, mremap and brk refuse what Linux refuses, with its error, and put
 * things where it puts them.
 * Method: calls by one process, in the order of the checks of do_mmap() and its kin; bounds of VMAs
 * and contents are looked at afterwards.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { kernelBase } from '../../../src/hardware/params.ts';
import { VcpuReg } from '../../../src/hardware/vcpu.ts';
import {
  EACCES,
  EBADF,
  EEXIST,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOMEM,
  EOPNOTSUPP,
} from '../../../src/linux/errno.ts';
import { fget } from '../../../src/linux/fs/fd-table.ts';
import { File, O_RDONLY, O_RDWR, O_WRONLY, fileObject } from '../../../src/linux/fs/file.ts';
import { currentFiles } from '../../../src/linux/fs/files-struct.ts';
import { NODE_GNTDEV, NODE_PRIVCMD, NODE_TMPFILE, sysOpen } from '../../../src/linux/fs/open.ts';
import { shmemTruncate } from '../../../src/linux/fs/shmem.ts';
import { Mm } from '../../../src/linux/mm/mm.ts';
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../../src/linux/mm/mremap.ts';
import { vmFlagsText } from '../../../src/linux/proc/vm-flags.ts';
import { sysBrk } from '../../../src/linux/syscall/brk.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_LOCKED,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MS_SYNC,
  PROT_EXEC,
  PROT_GROWSDOWN,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from '../../../src/linux/syscall/mman.ts';
import { sysMincore } from '../../../src/linux/syscall/mincore.ts';
import { sysMmap, sysMunmap } from '../../../src/linux/syscall/mmap.ts';
import { sysMprotect } from '../../../src/linux/syscall/mprotect.ts';
import { sysMsync } from '../../../src/linux/syscall/msync.ts';
import { sysMremap } from '../../../src/linux/syscall/mremap.ts';
import { readLocal, runAlone } from '../../../src/shared/operations.ts';
import { Vma } from '../../../src/linux/mm/vma.ts';
import { vmaLookup } from '../../../src/linux/mm/vma-tree.ts';
import { bootedMachine, pageAt, settle, vmasOf } from '../mm/machine.ts';
import { as, at, fork, load, mmOf, must, startProcess, store } from '../process/scene.ts';

const V = 0;
const RW = PROT_READ | PROT_WRITE;
const PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS;
const FIXED = PRIVATE | MAP_FIXED;

let mm = 0;
beforeEach(() => {
  bootedMachine({ pagesPerDomain: 32, frames: 96, ptFrames: 48, tablePages: 16, vmaNodes: 64 });
  mm = mmOf(startProcess(V));
});

const mmap = (vpn: number, pages: number, prot = RW, flags = FIXED, fd = -1, offset = 0) =>
  runAlone(sysMmap(V, at(vpn), at(pages), prot, flags, fd, offset));
const bounds = () => vmasOf(mm).map(({ start, end }) => [start, end]);
const flagsAt = (vpn: number) => {
  const vma = runAlone(vmaLookup(mm, vpn));
  return vmFlagsText(readLocal(Vma.flags.at(vma)));
};

describe('mmap', () => {
  test('checks offset, descriptor and length before it looks at addresses', () => {
    expect(mmap(2, 1, RW, MAP_SHARED, 77, 1)).toBe(-EINVAL);
    expect(mmap(2, 1, RW, MAP_SHARED, 77)).toBe(-EBADF);
    expect(mmap(2, 0)).toBe(-EINVAL);
    expect(mmap(kernelBase() - 1, 2)).toBe(-ENOMEM);
    expect(runAlone(sysMmap(V, at(2, 1), at(1), RW, FIXED, -1, 0))).toBe(-EINVAL);
    expect(mmap(2, 1, RW, MAP_ANONYMOUS)).toBe(-EINVAL);
    expect(bounds()).toEqual([]);
  });

  test('goes to the highest gap, to a hint that is free, and nowhere else with MAP_FIXED', () => {
    expect(mmap(0, 2, RW, PRIVATE)).toBe(at(kernelBase() - 2));
    expect(mmap(kernelBase() - 1, 1, RW, PRIVATE)).toBe(at(kernelBase() - 3));
    expect(mmap(9, 1, RW, PRIVATE)).toBe(at(9));
    expect(mmap(9, 1, RW, PRIVATE | MAP_FIXED_NOREPLACE)).toBe(-EEXIST);
    expect(mmap(8, 3, PROT_READ)).toBe(at(8));
    expect(bounds()).toEqual([
      [8, 11],
      [kernelBase() - 3, kernelBase() - 2],
      [kernelBase() - 2, kernelBase()],
    ]);
    expect(mmap(0, kernelBase(), RW, PRIVATE)).toBe(-ENOMEM);
  });

  test('asks the mode of the file, and whether it can be mapped', () => {
    const open = (node: number, flags: number) => runAlone(sysOpen(V, node, flags));
    const readable = open(NODE_PRIVCMD, O_RDONLY);
    const writable = open(NODE_PRIVCMD, O_WRONLY);
    expect(mmap(0, 1, RW, MAP_SHARED, readable)).toBe(-EACCES);
    expect(mmap(0, 1, PROT_READ, MAP_SHARED, readable)).toBe(-ENODEV);
    expect(mmap(0, 1, PROT_READ, MAP_PRIVATE, writable)).toBe(-EACCES);
    expect(mmap(0, 1, PROT_READ, MAP_SHARED_VALIDATE | 0x80000, readable)).toBe(-EOPNOTSUPP);
    expect(mmap(0, 1, RW, 0, readable)).toBe(-EINVAL);
    const gntdev = open(NODE_GNTDEV, O_RDWR);
    expect(mmap(0, 1, RW, MAP_SHARED, gntdev)).toBe(-EINVAL);
  });

  test('MAP_POPULATE and MAP_LOCKED bring the pages', () => {
    expect(mmap(4, 2, RW, FIXED | MAP_POPULATE)).toBe(at(4));
    expect([pageAt(mm, 4), pageAt(mm, 5)].every((pg) => pg >= 0)).toBe(true);
    expect(mmap(8, 1, PROT_READ, FIXED | MAP_LOCKED)).toBe(at(8));
    expect(pageAt(mm, 8)).toBeGreaterThanOrEqual(0);
    expect(readLocal(Mm.lockedVm.at(mm))).toBe(1);
    expect(flagsAt(8)).toBe('rd mr mw me lo sd');
    expect(mmap(12, 1, PROT_NONE, FIXED | MAP_POPULATE)).toBe(at(12));
    expect(pageAt(mm, 12)).toBe(-1);
  });

  test('shared memory without a name is one memory for parent and child', () => {
    expect(mmap(4, 2, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED)).toBe(at(4));
    expect(flagsAt(4)).toBe('rd wr sh mr mw me ms sd');
    store(V, 4, 5);
    const child = fork(V);
    as(V, child, () => store(V, 5, 6));
    expect([load(V, 4), load(V, 5)]).toEqual([5, 6]);
    expect(as(V, child, () => [load(V, 4), load(V, 5)])).toEqual([5, 6]);
    expect(mmap(4, 50, RW, MAP_SHARED | MAP_ANONYMOUS)).toBe(-ENOMEM);
  });

  test('a file of tmpfs is shared, or copied by a private mapping', () => {
    const fd = must(runAlone(sysOpen(V, NODE_TMPFILE, O_RDWR)));
    const file = fileObject(runAlone(fget(V, currentFiles(V), fd)));
    runAlone(shmemTruncate(V, readLocal(File.object.at(file)), at(1)));
    expect(mmap(4, 2, RW, MAP_SHARED | MAP_FIXED, fd)).toBe(at(4));
    expect(mmap(8, 1, RW, MAP_PRIVATE | MAP_FIXED, fd)).toBe(at(8));
    const out = VcpuReg.value.at2(V, 20);
    runAlone(sysMincore(V, at(8), at(1), out));
    expect(readLocal(out)).toBe(0);
    store(V, 4, 5);
    runAlone(sysMincore(V, at(8), at(1), out));
    expect(readLocal(out)).toBe(1);
    expect([load(V, 8), store(V, 8, 6), load(V, 4), load(V, 8)]).toEqual([5, 0, 5, 6]);
    expect(load(V, 5)).toBe('7/2');
    expect(runAlone(sysMsync(V, at(4), at(1), MS_SYNC))).toBe(0);
  });

  test('munmap wants a page and a length', () => {
    mmap(4, 2);
    expect(runAlone(sysMunmap(V, at(4, 1), at(1)))).toBe(-EINVAL);
    expect(runAlone(sysMunmap(V, at(4), 0))).toBe(-EINVAL);
    expect(runAlone(sysMunmap(V, at(kernelBase()), at(1)))).toBe(-EINVAL);
    expect(runAlone(sysMunmap(V, at(4), 1))).toBe(0);
    expect(bounds()).toEqual([[5, 6]]);
  });
});

describe('mprotect', () => {
  const protect = (vpn: number, pages: number, prot: number) =>
    runAlone(sysMprotect(V, at(vpn), at(pages), prot));

  test('refuses what no mapping has, and holes', () => {
    mmap(4, 2);
    expect(runAlone(sysMprotect(V, at(4, 1), at(1), RW))).toBe(-EINVAL);
    expect(protect(4, 1, PROT_GROWSDOWN)).toBe(-EINVAL);
    expect(protect(4, 1, 0x40)).toBe(-EINVAL);
    expect(protect(4, 0, PROT_READ)).toBe(0);
    expect(protect(4, 3, PROT_READ)).toBe(-ENOMEM);
    expect(protect(20, 1, PROT_READ)).toBe(-ENOMEM);
  });

  test('gives a page that is one’s own its right back without a fault', () => {
    mmap(4, 1);
    store(V, 4, 5);
    const page = pageAt(mm, 4);
    expect(protect(4, 1, PROT_NONE)).toBe(0);
    expect(load(V, 4)).toBe('11/2');
    expect(protect(4, 1, RW | PROT_EXEC)).toBe(0);
    expect([load(V, 4), store(V, 4, 6), pageAt(mm, 4)]).toEqual([5, 0, page]);
    expect(flagsAt(4)).toBe('rd wr ex mr mw me ac sd');
  });
});

describe('mremap', () => {
  const remap = (from: number, old: number, length: number, flags: number, to = 0) =>
    runAlone(sysMremap(V, at(from), at(old), at(length), flags, at(to)));

  test('refuses flags that do not fit, and places that overlap', () => {
    mmap(4, 2);
    expect(remap(4, 2, 2, 8)).toBe(-EINVAL);
    expect(remap(4, 2, 2, MREMAP_FIXED, 10)).toBe(-EINVAL);
    expect(remap(4, 2, 3, MREMAP_MAYMOVE | MREMAP_DONTUNMAP)).toBe(-EINVAL);
    expect(remap(4, 2, 0, MREMAP_MAYMOVE)).toBe(-EINVAL);
    expect(remap(4, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, 5)).toBe(-EINVAL);
    expect(remap(4, 0, 1, MREMAP_MAYMOVE)).toBe(-EINVAL);
    expect(remap(4, 3, 4, MREMAP_MAYMOVE)).toBe(-EFAULT);
    expect(remap(20, 1, 1, MREMAP_MAYMOVE)).toBe(-EFAULT);
    expect(runAlone(sysMremap(V, at(4, 1), at(1), at(1), 0, 0))).toBe(-EINVAL);
    expect(bounds()).toEqual([[4, 6]]);
  });

  test('shrinks and grows in place, and moves where there is no room', () => {
    mmap(4, 3);
    store(V, 4, 7);
    expect(remap(4, 3, 2, 0)).toBe(at(4));
    expect(remap(4, 2, 4, 0)).toBe(at(4));
    expect(bounds()).toEqual([[4, 8]]);
    mmap(8, 1);
    expect(remap(4, 4, 5, 0)).toBe(-ENOMEM);
    const to = remap(4, 4, 5, MREMAP_MAYMOVE);
    expect(to).toBe(at(kernelBase() - 5));
    expect([load(V, kernelBase() - 5), load(V, 4)]).toEqual([7, '11/1']);
    expect(bounds()).toEqual([
      [8, 9],
      [kernelBase() - 5, kernelBase()],
    ]);
  });

  test('DONTUNMAP leaves the old place mapped and empty', () => {
    mmap(4, 1);
    store(V, 4, 7);
    expect(remap(4, 1, 1, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED, 10)).toBe(at(10));
    expect([load(V, 10), load(V, 4)]).toEqual([7, 0]);
    expect(bounds()).toEqual([
      [4, 5],
      [10, 11],
    ]);
    settle(3);
  });
});

test('brk grows and shrinks the heap, and stops before the next mapping', () => {
  const start = runAlone(sysBrk(V, 0));
  const vpn = start / at(1);
  expect(runAlone(sysBrk(V, start + at(1, 1)))).toBe(start + at(1, 1));
  expect(bounds()).toEqual([[vpn, vpn + 2]]);
  expect(store(V, vpn + 1, 3)).toBe(0);
  expect(runAlone(sysBrk(V, start + at(4)))).toBe(start + at(4));
  expect(bounds()).toEqual([[vpn, vpn + 4]]);
  mmap(vpn + 6, 1);
  expect(runAlone(sysBrk(V, start + at(6)))).toBe(start + at(4));
  expect(runAlone(sysBrk(V, start + at(1)))).toBe(start + at(1));
  expect(load(V, vpn + 1)).toBe('11/1');
  expect(runAlone(sysBrk(V, start - 1))).toBe(start + at(1));
});
