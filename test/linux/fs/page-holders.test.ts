/**
 * Goal: everything that looks up user pages finds the page behind a grant mapping, at the right
 * address, stops where the mapping ends, and lets go of every page.
 * Method: single calls on a process that maps two grants, as the recordings of a real kernel have
 * them; after each, the page counts are what they were.
 */
import { describe, expect, test } from 'vitest';
import {
  EBADF,
  EFAULT,
  EINVAL,
  EIO,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  ESRCH,
} from '../../../src/linux/errno.ts';
import { O_RDWR } from '../../../src/linux/fs/file.ts';
import {
  IORING_REGISTER_BUFFERS,
  IORING_UNREGISTER_BUFFERS,
  sysIoUringRegister,
  sysIoUringSetup,
} from '../../../src/linux/fs/io-uring.ts';
import { sysOpenProcMem } from '../../../src/linux/fs/open.ts';
import { sysProcessVmReadv, sysProcessVmWritev } from '../../../src/linux/fs/process-vm.ts';
import { sysPread64, sysPwrite64 } from '../../../src/linux/fs/read-write.ts';
import { sysClose } from '../../../src/linux/fs/fd-table.ts';
import { mmapRegion } from '../../../src/linux/mm/mmap.ts';
import { mprotect } from '../../../src/linux/mm/mprotect.ts';
import { Page } from '../../../src/linux/mm/page.ts';
import { VM_OPS_ANONYMOUS } from '../../../src/linux/mm/vm-ops.ts';
import { VM_READ } from '../../../src/linux/mm/vma.ts';
import { sysExit } from '../../../src/linux/process/exit.ts';
import {
  PTRACE_ATTACH,
  PTRACE_DETACH,
  PTRACE_PEEKDATA,
  PTRACE_POKEDATA,
  ptraceWordBytes,
  sysPtrace,
} from '../../../src/linux/process/ptrace.ts';
import { contextSwitch } from '../../../src/linux/process/switch.ts';
import { sysWait4 } from '../../../src/linux/process/wait.ts';
import { Task, currentTask } from '../../../src/linux/process/task.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { pageAt } from '../mm/machine.ts';
import { as, fork } from '../process/scene.ts';
import {
  GRANTS,
  MEMORY,
  PAGE,
  TASK,
  at,
  bytesAt,
  fill,
  iovec,
  must,
  now,
  processWithGrants,
  result,
  run,
  unmap,
} from './scene.ts';

const pid = (): number => now(Task.pid.at(currentTask(TASK)));

/** Every page is held as often as before the call. */
function letsGo<T>(call: () => T): T {
  const counts = (): number[] =>
    Array.from({ length: Page.refcount.count }, (_, pfn) => now(Page.refcount.at2(1, pfn)));
  const before = counts();
  const value = call();
  expect(counts()).toEqual(before);
  return value;
}

describe('process_vm_readv and process_vm_writev', () => {
  test('copy from and to a grant mapping, as far as it goes', () => {
    processWithGrants(2);
    fill(MEMORY, 0);
    fill(MEMORY + 1, 0);
    const local = iovec([at(MEMORY), 2 * PAGE], [at(GRANTS), 2 * PAGE]);
    const remote = local + 2;
    const readv = () => run(sysProcessVmReadv(TASK, pid(), local, 1, remote, 1, 0));
    expect(letsGo(readv)).toBe(2 * PAGE);
    expect([bytesAt(MEMORY, 1), bytesAt(MEMORY + 1, 1)]).toEqual([[160], [161]]);
    fill(MEMORY, 97);
    writeLocal(local + 1, PAGE);
    expect(letsGo(() => run(sysProcessVmWritev(TASK, pid(), local, 1, remote, 1, 0)))).toBe(PAGE);
    expect([bytesAt(GRANTS, 1), bytesAt(GRANTS + 1, 1)]).toEqual([[97], [161]]);
    writeLocal(local + 1, 2 * PAGE);
    unmap(GRANTS + 1, 1);
    expect(letsGo(readv)).toBe(PAGE);
    unmap(GRANTS, 1);
    expect(letsGo(readv)).toBe(-EFAULT);
  });

  test('reach another process, and say who is not there', () => {
    processWithGrants(1);
    const mine = pid();
    const child = fork(TASK);
    const local = iovec([at(MEMORY), PAGE], [at(GRANTS), PAGE]);
    as(TASK, child, () => {
      expect(run(sysProcessVmReadv(TASK, mine, local, 1, local + 2, 1, 0))).toBe(PAGE);
      expect(bytesAt(MEMORY, 1)).toEqual([160]);
    });
    const other = now(Task.pid.at(child));
    // The child has no grant mapping: it is not copied by fork.
    expect(run(sysProcessVmReadv(TASK, other, local, 1, local + 2, 1, 0))).toBe(-EFAULT);
    expect(run(sysProcessVmReadv(TASK, 99, local, 1, local + 2, 1, 0))).toBe(-ESRCH);
    expect(run(sysProcessVmReadv(TASK, mine, local, 1, local + 2, 1, 1))).toBe(-EINVAL);
    expect(run(sysProcessVmReadv(TASK, mine, local, 1, local + 2, 0, 0))).toBe(0);
  });
});

describe('/proc/pid/mem', () => {
  test('reads and writes a grant mapping; a shared one that is read-only stays so', () => {
    const { mm } = processWithGrants(1);
    const fd = must(run(sysOpenProcMem(TASK, pid(), O_RDWR)));
    fill(MEMORY, 98);
    const place = at(GRANTS);
    expect(letsGo(() => run(sysPwrite64(TASK, fd, at(MEMORY), 1, place)))).toBe(1);
    expect(letsGo(() => run(sysPread64(TASK, fd, at(MEMORY), 6, place)))).toBe(6);
    expect(bytesAt(MEMORY, 6)).toEqual([98, 160, 160, 160, 160, 160]);
    must(run(mprotect(TASK, mm, GRANTS, 1, VM_READ)));
    expect(run(sysPwrite64(TASK, fd, at(MEMORY), 1, place))).toBe(-EIO);
    unmap(GRANTS, 1);
    expect(run(sysPread64(TASK, fd, at(MEMORY), 6, place))).toBe(-EIO);
  });

  test('writes a private read-only page, into a copy of the process', () => {
    const { mm } = processWithGrants(0);
    const place = GRANTS;
    must(run(mmapRegion(TASK, mm, place, 1, VM_READ, VM_OPS_ANONYMOUS, -1, 0)));
    fill(MEMORY, 5);
    const child = fork(TASK);
    const fd = must(run(sysOpenProcMem(TASK, pid(), O_RDWR)));
    expect(bytesAt(place, 1)).toEqual([0]);
    const shared = fork(TASK);
    expect(run(sysPwrite64(TASK, fd, at(MEMORY), 1, at(place)))).toBe(1);
    expect(bytesAt(place, 1)).toEqual([5]);
    for (const task of [child, shared]) {
      as(TASK, task, () => expect(bytesAt(place, 1)).toEqual([0]));
    }
    expect(run(sysPwrite64(TASK, fd, at(MEMORY), 1, at(place + 1)))).toBe(-EIO);
  });

  test('gives nothing once the process is gone, and keeps nothing of it', () => {
    processWithGrants(0);
    const child = fork(TASK);
    const fd = must(run(sysOpenProcMem(TASK, now(Task.pid.at(child)), O_RDWR)));
    fill(MEMORY, 3);
    expect(run(sysPread64(TASK, fd, at(MEMORY + 1), 1, at(MEMORY)))).toBe(1);
    const own = currentTask(TASK);
    runAlone(contextSwitch(TASK, child));
    runAlone(sysExit(TASK, 0));
    runAlone(contextSwitch(TASK, own));
    expect(run(sysPread64(TASK, fd, at(MEMORY + 1), 1, at(MEMORY)))).toBe(0);
    // Another process does not get the address space that the file still names.
    fork(TASK);
    expect(run(sysPread64(TASK, fd, at(MEMORY + 1), 1, at(MEMORY)))).toBe(0);
    expect(run(sysOpenProcMem(TASK, 77, O_RDWR))).toBe(-ESRCH);
    expect(run(sysClose(TASK, fd))).toBe(0);
  });
});

test('ptrace peeks and pokes a grant mapping of a process that it is attached to', () => {
  processWithGrants(1);
  const mine = pid();
  const child = fork(TASK);
  const data = result(40);
  const words = ptraceWordBytes();
  const peek = (address: number) => run(sysPtrace(TASK, PTRACE_PEEKDATA, mine, address, data));
  expect(run(sysPtrace(TASK, PTRACE_ATTACH, mine, 0, 0))).toBe(-EPERM);
  as(TASK, child, () => {
    expect(peek(at(GRANTS))).toBe(-ESRCH);
    expect(run(sysPtrace(TASK, PTRACE_ATTACH, mine, 0, 0))).toBe(0);
    expect(run(sysPtrace(TASK, PTRACE_ATTACH, mine, 0, 0))).toBe(-EPERM);
    expect(letsGo(() => peek(at(GRANTS)))).toBe(0);
    expect(Array.from({ length: words }, (_, i) => now(data + i))).toEqual(
      Array.from({ length: words }, () => 160),
    );
    for (let i = 0; i < words; i++) writeLocal(data + i, 99);
    expect(run(sysPtrace(TASK, PTRACE_POKEDATA, mine, at(GRANTS), data))).toBe(0);
    expect(peek(at(GRANTS, 1))).toBe(-EIO);
    expect(run(sysPtrace(TASK, PTRACE_DETACH, mine, 0, 0))).toBe(0);
    expect(peek(at(GRANTS))).toBe(-ESRCH);
    expect(run(sysPtrace(TASK, PTRACE_ATTACH, 55, 0, 0))).toBe(-ESRCH);
    expect(run(sysPtrace(TASK, 1234, mine, 0, 0))).toBe(-EIO);
  });
  expect(bytesAt(GRANTS, 1)).toEqual([99]);
  // A tracer that has ended is none.
  const other = fork(TASK);
  const attach = () => run(sysPtrace(TASK, PTRACE_ATTACH, mine, 0, 0));
  as(TASK, child, () => expect(attach()).toBe(0));
  as(TASK, other, () => expect(attach()).toBe(-EPERM));
  const own = currentTask(TASK);
  runAlone(contextSwitch(TASK, child));
  runAlone(sysExit(TASK, 0));
  runAlone(contextSwitch(TASK, own));
  must(run(sysWait4(TASK, -1, 0)));
  as(TASK, other, () => expect(attach()).toBe(0));
});

test('io_uring registers anonymous memory, refuses a grant mapping and holds nothing of it', () => {
  const { mm } = processWithGrants(2);
  const ring = must(run(sysIoUringSetup(TASK, 8)));
  const register = (address: number, bytes: number) =>
    run(sysIoUringRegister(TASK, ring, IORING_REGISTER_BUFFERS, iovec([address, bytes]), 1));
  const unregister = () => run(sysIoUringRegister(TASK, ring, IORING_UNREGISTER_BUFFERS, 0, 0));
  expect(letsGo(() => register(at(GRANTS), 2 * PAGE))).toBe(-EOPNOTSUPP);
  expect(register(at(30), PAGE)).toBe(-EFAULT);
  fill(MEMORY, 1);
  const page = pageAt(mm, MEMORY);
  const count = now(Page.refcount.at(page));
  expect(register(at(MEMORY), PAGE)).toBe(0);
  expect(now(Page.refcount.at(page))).toBe(count + 1024);
  expect(unregister()).toBe(0);
  expect(unregister()).toBe(-ENXIO);
  expect(register(at(MEMORY), PAGE)).toBe(0);
  expect(run(sysClose(TASK, ring))).toBe(0);
  expect(now(Page.refcount.at(page))).toBe(count);
  expect(register(at(MEMORY), PAGE)).toBe(-EBADF);
  expect(run(sysIoUringSetup(TASK, 0))).toBe(-EINVAL);
});
