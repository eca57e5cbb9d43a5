/**
 * Goal: madvise, mlock, msync and mincore do to flags and pages what Linux does, with its errors.
 * Method: calls by one process on anonymous memory; the VmFlags line and the page tables
 * afterwards.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { EBUSY, EINVAL, ENOMEM } from '../../../src/linux/errno.ts';
import {
  MADV_COLD,
  MADV_DODUMP,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_MERGEABLE,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
} from '../../../src/linux/mm/advice.ts';
import { Mm } from '../../../src/linux/mm/mm.ts';
import { Vma } from '../../../src/linux/mm/vma.ts';
import { vmaLookup } from '../../../src/linux/mm/vma-tree.ts';
import { vmFlagsText } from '../../../src/linux/proc/vm-flags.ts';
import { sysMadvise } from '../../../src/linux/syscall/madvise.ts';
import { sysMincore } from '../../../src/linux/syscall/mincore.ts';
import {
  sysMlock2,
  sysMlockall,
  sysMunlock,
  sysMunlockall,
} from '../../../src/linux/syscall/mlock.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MCL_CURRENT,
  MCL_FUTURE,
  MCL_ONFAULT,
  MLOCK_ONFAULT,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from '../../../src/linux/syscall/mman.ts';
import { sysMmap } from '../../../src/linux/syscall/mmap.ts';
import { sysMsync } from '../../../src/linux/syscall/msync.ts';
import { VcpuReg } from '../../../src/hardware/vcpu.ts';
import { readLocal, runAlone } from '../../../src/shared/operations.ts';
import { bootedMachine, pageAt, vmasOf } from '../mm/machine.ts';
import { as, at, fork, load, mmOf, must, startProcess, store } from '../process/scene.ts';

const V = 0;
const VPN = 4;
let mm = 0;

const mmap = (vpn: number, pages: number, prot = PROT_READ | PROT_WRITE) =>
  must(
    runAlone(sysMmap(V, at(vpn), at(pages), prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)),
  );
const advise = (advice: number, vpn = VPN, pages = 3) =>
  runAlone(sysMadvise(V, at(vpn), at(pages), advice));
const flagsAt = (vpn: number) => vmFlagsText(readLocal(Vma.flags.at(runAlone(vmaLookup(mm, vpn)))));
const PLAIN = 'rd wr mr mw me';

beforeEach(() => {
  bootedMachine({ pagesPerDomain: 48, frames: 96, ptFrames: 48, tablePages: 20, vmaNodes: 64 });
  mm = mmOf(startProcess(V));
  mmap(VPN, 3);
});

describe('madvise', () => {
  test('refuses what is no advice, and reports holes', () => {
    expect(advise(7)).toBe(-EINVAL);
    expect(advise(100)).toBe(-EINVAL);
    expect(runAlone(sysMadvise(V, at(VPN, 1), at(1), MADV_NORMAL))).toBe(-EINVAL);
    expect(advise(MADV_NORMAL, 20, 0)).toBe(0);
    expect(advise(MADV_NORMAL, 20, 1)).toBe(-ENOMEM);
    expect(advise(MADV_DONTDUMP, VPN, 4)).toBe(-ENOMEM);
    expect(flagsAt(VPN)).toBe(`${PLAIN} ac dd sd`);
  });

  test.each([
    ['MADV_SEQUENTIAL', MADV_SEQUENTIAL, 'sr ac sd'],
    ['MADV_RANDOM', MADV_RANDOM, 'rr ac sd'],
    ['MADV_DONTFORK', MADV_DONTFORK, 'dc ac sd'],
    ['MADV_WIPEONFORK', MADV_WIPEONFORK, 'ac wf sd'],
    ['MADV_DONTDUMP', MADV_DONTDUMP, 'ac dd sd'],
    ['MADV_HUGEPAGE', MADV_HUGEPAGE, 'ac sd hg'],
    ['MADV_NOHUGEPAGE', MADV_NOHUGEPAGE, 'ac sd nh'],
    ['MADV_MERGEABLE', MADV_MERGEABLE, 'ac sd'],
  ])('%s is a flag of the pages that it names', (_, advice, flags) => {
    expect(advise(advice, VPN + 1, 1)).toBe(0);
    expect(flagsAt(VPN + 1)).toBe(`${PLAIN} ${flags}`);
    expect(flagsAt(VPN)).toBe(`${PLAIN} ac sd`);
  });

  test('advice is taken back', () => {
    for (const [give, take] of [
      [MADV_RANDOM, MADV_NORMAL],
      [MADV_DONTDUMP, MADV_DODUMP],
      [MADV_WIPEONFORK, MADV_KEEPONFORK],
    ] as const) {
      expect([advise(give), advise(take)]).toEqual([0, 0]);
      expect(flagsAt(VPN)).toBe(`${PLAIN} ac sd`);
    }
  });

  test('MADV_WIPEONFORK gives the child pages of zeros', () => {
    store(V, VPN, 7);
    store(V, VPN + 1, 8);
    advise(MADV_WIPEONFORK, VPN, 1);
    const child = fork(V);
    expect(as(V, child, () => [load(V, VPN), load(V, VPN + 1)])).toEqual([0, 8]);
    expect(load(V, VPN)).toBe(7);
  });

  test('a locked VMA keeps its pages', () => {
    store(V, VPN, 7);
    runAlone(sysMlock2(V, at(VPN), at(1), 0));
    for (const advice of [MADV_DONTNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_REMOVE]) {
      expect(advise(advice, VPN, 1)).toBe(-EINVAL);
    }
    expect(load(V, VPN)).toBe(7);
    expect(advise(MADV_DONTNEED_LOCKED, VPN, 1)).toBe(0);
    expect(load(V, VPN)).toBe(0);
  });

  test('MADV_FREE, MADV_COLD, MADV_PAGEOUT and MADV_WILLNEED keep contents', () => {
    store(V, VPN, 7);
    for (const advice of [MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED]) {
      expect(advise(advice)).toBe(0);
    }
    expect(load(V, VPN)).toBe(7);
    expect(advise(MADV_REMOVE)).toBe(-EINVAL);
  });

  test('MADV_POPULATE brings pages where they may be accessed so', () => {
    expect(advise(MADV_POPULATE_WRITE, VPN, 2)).toBe(0);
    expect([0, 1, 2].map((i) => pageAt(mm, VPN + i) >= 0)).toEqual([true, true, false]);
    expect(advise(MADV_POPULATE_READ, VPN, 4)).toBe(-ENOMEM);
    expect(pageAt(mm, VPN + 2)).toBeGreaterThanOrEqual(0);
    mmap(12, 1, PROT_READ);
    expect(advise(MADV_POPULATE_WRITE, 12, 1)).toBe(-EINVAL);
    mmap(13, 1, PROT_NONE);
    expect(advise(MADV_POPULATE_READ, 13, 1)).toBe(-EINVAL);
  });
});

describe('mlock', () => {
  const lock = (vpn: number, pages: number, flags = 0) =>
    runAlone(sysMlock2(V, at(vpn), at(pages), flags));

  test('brings the pages, marks the VMA, and counts', () => {
    expect(runAlone(sysMlock2(V, at(VPN, 1), at(1), 0))).toBe(0);
    expect([0, 1, 2].map((i) => pageAt(mm, VPN + i) >= 0)).toEqual([true, true, false]);
    expect(flagsAt(VPN)).toBe(`${PLAIN} lo ac sd`);
    expect(readLocal(Mm.lockedVm.at(mm))).toBe(2);
    expect(runAlone(sysMunlock(V, at(VPN), at(3)))).toBe(0);
    expect(flagsAt(VPN)).toBe(`${PLAIN} ac sd`);
    expect(readLocal(Mm.lockedVm.at(mm))).toBe(0);
  });

  test('MLOCK_ONFAULT brings nothing', () => {
    expect(lock(VPN, 3, 2)).toBe(-EINVAL);
    expect(lock(VPN, 3, MLOCK_ONFAULT)).toBe(0);
    expect(pageAt(mm, VPN)).toBe(-1);
    expect(flagsAt(VPN)).toBe(`${PLAIN} lo lf ac sd`);
  });

  test('fails on holes and on what cannot be accessed', () => {
    expect(lock(VPN + 2, 2)).toBe(-ENOMEM);
    expect(runAlone(sysMunlock(V, at(20), at(1)))).toBe(-ENOMEM);
    mmap(12, 1, PROT_NONE);
    expect(lock(12, 1)).toBe(-ENOMEM);
  });

  test('a child’s memory is not locked', () => {
    lock(VPN, 3);
    const child = fork(V);
    const vma = runAlone(vmaLookup(mmOf(child), VPN));
    expect(vmFlagsText(readLocal(Vma.flags.at(vma)))).toBe(`${PLAIN} ac sd`);
    expect(readLocal(Mm.lockedVm.at(mmOf(child)))).toBe(0);
  });

  test('mlockall locks what is there and what comes', () => {
    expect(runAlone(sysMlockall(V, 0))).toBe(-EINVAL);
    expect(runAlone(sysMlockall(V, MCL_ONFAULT))).toBe(-EINVAL);
    expect(runAlone(sysMlockall(V, MCL_CURRENT | MCL_FUTURE))).toBe(0);
    expect(pageAt(mm, VPN + 2)).toBeGreaterThanOrEqual(0);
    mmap(12, 1);
    expect(pageAt(mm, 12)).toBeGreaterThanOrEqual(0);
    expect(flagsAt(12)).toBe(`${PLAIN} lo ac sd`);
    expect(runAlone(sysMunlockall(V))).toBe(0);
    expect(vmasOf(mm).map(({ start }) => flagsAt(start))).toEqual([
      `${PLAIN} ac sd`,
      `${PLAIN} ac sd`,
    ]);
  });
});

test('msync checks its flags, finds holes and refuses to invalidate what is locked', () => {
  const sync = (vpn: number, pages: number, flags: number) =>
    runAlone(sysMsync(V, at(vpn), at(pages), flags));
  expect(sync(VPN, 3, 8)).toBe(-EINVAL);
  expect(sync(VPN, 3, MS_ASYNC | MS_SYNC)).toBe(-EINVAL);
  expect(sync(VPN, 3, MS_SYNC)).toBe(0);
  expect(sync(VPN, 4, MS_ASYNC)).toBe(-ENOMEM);
  expect(sync(20, 0, MS_ASYNC)).toBe(0);
  runAlone(sysMlock2(V, at(VPN), at(1), 0));
  expect(sync(VPN, 3, MS_INVALIDATE)).toBe(-EBUSY);
});

test('mincore tells which pages are there', () => {
  const out = VcpuReg.value.at2(V, 20);
  store(V, VPN + 1, 1);
  expect(runAlone(sysMincore(V, at(VPN), at(3), out))).toBe(0);
  expect([0, 1, 2].map((i) => readLocal(out + i))).toEqual([0, 1, 0]);
  expect(runAlone(sysMincore(V, at(VPN, 1), at(1), out))).toBe(-EINVAL);
  expect(runAlone(sysMincore(V, at(VPN), at(4), out))).toBe(-ENOMEM);
});
