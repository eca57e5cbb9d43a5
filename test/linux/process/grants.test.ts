/**
 * Goal: processes and grants: what fork, exec, exit and a signal do to mappings of gntdev and
 * gntalloc, as a real Linux 6.1 under Xen 4.17 does.
 * Method: two guests; the mapper's processes call what a program calls, and the page tables, the
 * handles and Xen's pins are looked at.
 */
import { describe, expect, test } from 'vitest';
import { reg } from '../../../src/hardware/vcpu.ts';
import { FIND_NORMAL_PAGE } from '../../../src/linux/designs/design.ts';
import { gnttabGrantForeignAccess } from '../../../src/linux/drivers/grant-table.ts';
import { gntdevMapGrantRef } from '../../../src/linux/drivers/gntdev/ioctl.ts';
import { MADV_DOFORK, MADV_DONTNEED } from '../../../src/linux/mm/advice.ts';
import { fget, sysClose } from '../../../src/linux/fs/fd-table.ts';
import { fileObject } from '../../../src/linux/fs/file.ts';
import { currentFiles } from '../../../src/linux/fs/files-struct.ts';
import { O_CLOEXEC } from '../../../src/linux/fs/file.ts';
import { NODE_GNTDEV, sysOpen } from '../../../src/linux/fs/open.ts';
import { SIGKILL } from '../../../src/linux/mm/fault-codes.ts';
import { allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { Page, pfnOf } from '../../../src/linux/mm/page.ts';
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../../src/linux/mm/mremap.ts';
import { sysExecve } from '../../../src/linux/process/exec.ts';
import { sysExit } from '../../../src/linux/process/exit.ts';
import { exitToUserMode, sysKill } from '../../../src/linux/process/signal.ts';
import { TASK_RUNNING, Task, currentTask } from '../../../src/linux/process/task.ts';
import { REG_WAIT_STATUS, WNOHANG, sysWait4 } from '../../../src/linux/process/wait.ts';
import {
  PM_FILE,
  PM_MMAP_EXCLUSIVE,
  PM_PRESENT,
  PM_SOFT_DIRTY,
  kpagecount,
  pagemapRead,
} from '../../../src/linux/proc/pagemap.ts';
import { SMAP_FLAGS, SMAP_PSS, SMAP_RSS, showSmap } from '../../../src/linux/proc/smaps.ts';
import { permsText, vmFlagsText } from '../../../src/linux/proc/vm-flags.ts';
import { sysMadvise } from '../../../src/linux/syscall/madvise.ts';
import { sysMincore } from '../../../src/linux/syscall/mincore.ts';
import { sysMlock2 } from '../../../src/linux/syscall/mlock.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MS_SYNC,
  PROT_READ,
  PROT_WRITE,
} from '../../../src/linux/syscall/mman.ts';
import { sysMmap, sysMunmap } from '../../../src/linux/syscall/mmap.ts';
import { sysMprotect } from '../../../src/linux/syscall/mprotect.ts';
import { sysMremap } from '../../../src/linux/syscall/mremap.ts';
import { sysMsync } from '../../../src/linux/syscall/msync.ts';
import { readLocal, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { cpuStore } from '../../../src/hardware/access.ts';
import { kernelBase } from '../../../src/hardware/params.ts';
import {
  GRANTER,
  GRANTER_TASK,
  KTHREAD,
  MAPPER,
  TASK,
  bootGuests,
  grantList,
  grantPage,
  now,
  result,
} from '../drivers/guests.ts';
import { settle } from '../mm/machine.ts';
import { as, at, fork, load, mmOf, must, startProcess, store } from './scene.ts';

const VPN = 8;
const PAGES = 3;
const RW = PROT_READ | PROT_WRITE;

/** Xen's pins of a ref of the granter. */
const pinsOf = (ref: number) => now(ActiveEntry.pin.at2(GRANTER, ref));

/** A process with `PAGES` grants mapped; page i holds 160 + i. */
function scene(prot = RW, flags = MAP_SHARED, sizes = {}) {
  bootGuests({ design: FIND_NORMAL_PAGE, tablePages: 14, ptFrames: 40, tasks: 4, ...sizes });
  const task = startProcess(TASK);
  const grants = Array.from({ length: PAGES }, () => grantPage());
  grants.forEach(({ page }, i) => {
    runAlone(cpuStore(GRANTER_TASK, kernelBase() + pfnOf(page), 0, 160 + i));
  });
  const refs = grants.map((grant) => grant.ref);
  const fd = must(runAlone(sysOpen(TASK, NODE_GNTDEV, 2 | O_CLOEXEC)));
  const file = fileObject(runAlone(fget(TASK, currentFiles(TASK), fd)));
  must(runAlone(gntdevMapGrantRef(TASK, file, grantList(refs), PAGES)));
  const call = sysMmap(TASK, at(VPN), at(PAGES), prot, flags | MAP_FIXED, fd, 0);
  expect(runAlone(call)).toBe(at(VPN));
  return { task, refs, fd };
}

const bytes = () => Array.from({ length: PAGES }, (_, i) => load(TASK, VPN + i));

/** The smaps record of the VMA at an address: permissions, flags, Rss and Pss in pages. */
function smap(vpn: number) {
  const out = result(0);
  expect(runAlone(showSmap(TASK, mmOf(currentTask(TASK)), vpn, out))).toBe(1);
  const flags = readLocal(out + SMAP_FLAGS);
  const [rss, pss] = [readLocal(out + SMAP_RSS), readLocal(out + SMAP_PSS) / 4096];
  return { perms: permsText(flags), flags: vmFlagsText(flags), rss, pss };
}

/** Pagemap bits and the pfn of a page. */
function pagemap(vpn: number) {
  runAlone(pagemapRead(TASK, mmOf(currentTask(TASK)), vpn, 1, result(0)));
  return { bits: readLocal(result(0)), pfn: readLocal(result(0) + 1) };
}

describe('fork', () => {
  test('leaves a mapping of grants with the parent', () => {
    const { task, refs } = scene();
    const child = fork(TASK);
    expect(as(TASK, child, () => load(TASK, VPN))).toBe('11/1');
    expect(bytes()).toEqual([160, 161, 162]);
    as(TASK, child, () => runAlone(sysExit(TASK, 3)));
    expect(pinsOf(refs[0] as number)).not.toBe(0);
    expect(runAlone(sysWait4(TASK, -1, 0))).toBeGreaterThan(readLocal(Task.pid.at(task)));
    expect(reg(TASK, REG_WAIT_STATUS)).toBe(3 << 8);
  });

  test('after MADV_DOFORK offers Xen entries of a foreign frame, which it refuses', () => {
    const { refs } = scene();
    expect(runAlone(sysMadvise(TASK, at(VPN), at(PAGES), MADV_DOFORK))).toBe(0);
    expect(smap(VPN).flags).toBe('rd wr sh mr mw me ms de dd sd mm');
    const child = fork(TASK);
    const page = readLocal(Page.mapcount.word);
    expect(page).toBe(0);
    runAlone(sysKill(TASK, readLocal(Task.pid.at(child)), SIGKILL));
    as(TASK, child, () => runAlone(exitToUserMode(TASK)));
    settle(KTHREAD);
    expect(bytes()).toEqual([160, 161, 162]);
    expect(runAlone(sysMunmap(TASK, at(VPN), at(PAGES)))).toBe(0);
    settle(KTHREAD);
    for (const ref of refs) expect(pinsOf(ref)).toBe(0);
  });
});

describe('the end of a process', () => {
  const ends: [string, (pid: number, child: number) => void][] = [
    ['exit', (_, child) => as(TASK, child, () => runAlone(sysExit(TASK, 0)))],
    [
      'SIGKILL',
      (pid, child) => {
        expect(runAlone(sysKill(TASK, pid, SIGKILL))).toBe(0);
        expect(as(TASK, child, () => runAlone(exitToUserMode(TASK)))).toBe(SIGKILL);
      },
    ],
    [
      'exec, with the descriptor closed',
      (_, child) => expect(as(TASK, child, () => runAlone(sysExecve(TASK)))).toBe(0),
    ],
  ];
  test.each(ends)('by %s unmaps its grants', (_, end) => {
    const { refs, fd } = scene();
    runAlone(sysMunmap(TASK, at(VPN), at(PAGES)));
    runAlone(sysClose(TASK, fd));
    const child = fork(TASK);
    as(TASK, child, () => {
      const own = must(runAlone(sysOpen(TASK, NODE_GNTDEV, 2 | O_CLOEXEC)));
      const file = fileObject(runAlone(fget(TASK, currentFiles(TASK), own)));
      must(runAlone(gntdevMapGrantRef(TASK, file, grantList(refs), PAGES)));
      must(runAlone(sysMmap(TASK, at(VPN), at(PAGES), RW, MAP_SHARED | MAP_FIXED, own, 0)));
      expect(load(TASK, VPN + 1)).toBe(161);
    });
    expect(pinsOf(refs[1] as number)).not.toBe(0);
    const pid = readLocal(Task.pid.at(child));
    end(pid, child);
    settle(KTHREAD);
    for (const ref of refs) expect(pinsOf(ref)).toBe(0);
    const runs = readLocal(Task.state.at(child)) === TASK_RUNNING;
    expect(runAlone(sysWait4(TASK, -1, WNOHANG))).toBe(runs ? 0 : pid);
  });
});

describe('system calls on a mapping of grants', () => {
  test('munmap of the middle leaves both ends', () => {
    scene();
    expect(runAlone(sysMunmap(TASK, at(VPN + 1), at(1)))).toBe(0);
    expect(bytes()).toEqual([160, '11/1', 162]);
    expect(smap(VPN)).toEqual({
      perms: 'rw-s',
      flags: 'rd wr sh mr mw me ms dc de dd sd mm',
      rss: 1,
      pss: 1,
    });
  });

  test('mprotect of the middle unmaps its grant for good: SIGBUS', () => {
    scene();
    expect(runAlone(sysMprotect(TASK, at(VPN + 1), at(1), PROT_READ))).toBe(0);
    expect(bytes()).toEqual([160, '7/2', 162]);
    expect(store(TASK, VPN + 1, 1)).toBe('11/2');
    expect(smap(VPN + 1)).toMatchObject({ perms: 'r--s', rss: 0, pss: 0 });
    expect(pagemap(VPN)).toEqual({ bits: PM_PRESENT | PM_FILE | PM_SOFT_DIRTY, pfn: 0 });
    expect(pagemap(VPN + 1)).toEqual({ bits: PM_SOFT_DIRTY, pfn: 0 });
    expect(runAlone(sysMprotect(TASK, at(VPN + 1), at(1), RW))).toBe(0);
    expect(store(TASK, VPN + 1, 1)).toBe('7/2');
  });

  test('a private mapping is read-only, and mprotect accounts for its copies', () => {
    scene(PROT_READ, MAP_PRIVATE);
    expect(bytes()).toEqual([160, 161, 162]);
    expect(smap(VPN)).toMatchObject({ perms: 'r--p', flags: 'rd mr mw me dc de dd sd mm' });
    expect(runAlone(sysMprotect(TASK, at(VPN), at(PAGES), RW))).toBe(0);
    expect(store(TASK, VPN, 9)).toBe('7/2');
    expect(smap(VPN).flags).toBe('rd wr mr mw me dc de ac dd sd mm');
  });

  test('mremap neither lengthens nor doubles it; what it moves is unmapped', () => {
    scene();
    const remap = (from: number, old: number, length: number, flags: number, to = 0) =>
      runAlone(sysMremap(TASK, at(from), at(old), at(length), flags, at(to)));
    expect(remap(VPN, PAGES, PAGES + 1, MREMAP_MAYMOVE)).toBe(-14);
    expect(remap(VPN, PAGES, PAGES + 1, 0)).toBe(-14);
    expect(remap(VPN, 0, PAGES, MREMAP_MAYMOVE)).toBe(-14);
    expect(remap(VPN, PAGES, PAGES, MREMAP_MAYMOVE | MREMAP_DONTUNMAP)).toBe(-22);
    expect(bytes()).toEqual([160, 161, 162]);
    expect(remap(VPN + 1, 1, 1, MREMAP_MAYMOVE | MREMAP_FIXED, 20)).toBe(at(20));
    expect(bytes()).toEqual([160, '11/1', 162]);
    expect(load(TASK, 20)).toBe('7/2');
  });

  test('mlock, msync, mincore and MADV_DONTNEED', () => {
    scene();
    expect(runAlone(sysMlock2(TASK, at(VPN), at(PAGES), 0))).toBe(0);
    expect(smap(VPN).flags).toBe('rd wr sh mr mw me ms dc de dd sd mm');
    expect(runAlone(sysMsync(TASK, at(VPN), at(PAGES), MS_SYNC))).toBe(-22);
    expect(runAlone(sysMincore(TASK, at(VPN), at(PAGES), result(0)))).toBe(0);
    expect([0, 1, 2].map((i) => readLocal(result(i)))).toEqual([1, 1, 1]);
    expect(runAlone(sysMadvise(TASK, at(VPN), at(1), MADV_DONTNEED))).toBe(0);
    expect(bytes()).toEqual(['7/2', 161, 162]);
    expect(runAlone(sysMlock2(TASK, at(VPN), at(1), 0))).toBe(-12);
  });

  test('pagemap of a page of one’s own', () => {
    bootGuests({ design: FIND_NORMAL_PAGE, tablePages: 14, ptFrames: 40 });
    startProcess(TASK);
    expect(runAlone(kpagecount(TASK, 0))).toBe(0);
    expect(runAlone(kpagecount(TASK, 1000))).toBe(-1);
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;
    must(runAlone(sysMmap(TASK, at(VPN), at(1), RW, flags, -1, 0)));
    store(TASK, VPN, 1);
    const { bits, pfn } = pagemap(VPN);
    expect(bits).toBe(PM_PRESENT | PM_MMAP_EXCLUSIVE | PM_SOFT_DIRTY);
    expect(runAlone(kpagecount(TASK, pfn))).toBe(1);
  });
});

describe('a domain that maps grants of its own', () => {
  /** A process that maps one page of its own kernel, which holds 160. */
  function loopback() {
    bootGuests({ design: FIND_NORMAL_PAGE, tablePages: 14, ptFrames: 40, tasks: 4, debug: 0 });
    startProcess(TASK);
    const page = must(runAlone(allocPage(TASK)));
    runAlone(cpuStore(TASK, kernelBase() + pfnOf(page), 0, 160));
    const ref = must(runAlone(gnttabGrantForeignAccess(TASK, MAPPER, pfnOf(page), 0)));
    const fd = must(runAlone(sysOpen(TASK, NODE_GNTDEV, 2)));
    const file = fileObject(runAlone(fget(TASK, currentFiles(TASK), fd)));
    const list = grantList([ref]);
    writeLocal(list, MAPPER);
    must(runAlone(gntdevMapGrantRef(TASK, file, list, 1)));
    must(runAlone(sysMmap(TASK, at(VPN), at(1), RW, MAP_SHARED | MAP_FIXED, fd, 0)));
    return { page, ref };
  }

  test('finds the page that was granted in pagemap', () => {
    const { page } = loopback();
    expect(load(TASK, VPN)).toBe(160);
    expect(pagemap(VPN)).toEqual({ bits: PM_PRESENT | PM_FILE | PM_SOFT_DIRTY, pfn: pfnOf(page) });
  });

  test('after MADV_DOFORK forks the mapping, with a reference and a mapping of the page', () => {
    const { ref } = loopback();
    expect(runAlone(sysMadvise(TASK, at(VPN), at(1), MADV_DOFORK))).toBe(0);
    const child = fork(TASK);
    expect(as(TASK, child, () => load(TASK, VPN))).toBe(160);
    expect(smap(VPN)).toMatchObject({ rss: 1, pss: 1 });
    expect(pagemap(VPN).bits & PM_MMAP_EXCLUSIVE).toBe(PM_MMAP_EXCLUSIVE);
    as(TASK, child, () => runAlone(sysExit(TASK, 0)));
    expect(pagemap(VPN).bits & PM_MMAP_EXCLUSIVE).toBe(0);
    expect(load(TASK, VPN)).toBe(160);
    expect(runAlone(sysMunmap(TASK, at(VPN), at(1)))).toBe(0);
    settle(KTHREAD);
    expect(now(ActiveEntry.pin.at2(MAPPER, ref))).toBe(0);
  });
});
