/**
 * Goal: a futex is the same one for all who mean it and for nobody else; a sleeper is woken by who
 * changed the value, whenever that was; and a page without an owner has no shared futex.
 * Method: keys by single calls; a waiter and a waker in every order under the explorer, SC and TSO.
 */
import { describe, expect, test } from 'vitest';
import { EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT } from '../../../src/linux/errno.ts';
import { O_RDWR } from '../../../src/linux/fs/file.ts';
import {
  FUTEX_FOREVER,
  FUTEX_PRIVATE_FLAG,
  FUTEX_WAIT,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE,
  FUTEX_WAKE_BITSET,
  FutexBucket,
  sysFutex,
} from '../../../src/linux/fs/futex.ts';
import { NODE_TMPFILE, sysOpen } from '../../../src/linux/fs/open.ts';
import { sysPwrite64 } from '../../../src/linux/fs/read-write.ts';
import { mmapRegion } from '../../../src/linux/mm/mmap.ts';
import { currentMm } from '../../../src/linux/mm/mm-life.ts';
import { userStore } from '../../../src/linux/mm/user-access.ts';
import { VM_OPS_SHMEM } from '../../../src/linux/mm/vm-ops.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../../src/linux/mm/vma.ts';
import type { Op } from '../../../src/shared/op.ts';
import { writeLocal } from '../../../src/shared/operations.ts';
import { File } from '../../../src/linux/fs/file.ts';
import { OTHER_TASK, explore } from '../drivers/guests.ts';
import { joinTask } from '../mm/machine.ts';
import { fork } from '../process/scene.ts';
import { contextSwitch } from '../../../src/linux/process/switch.ts';
import { runAlone } from '../../../src/shared/operations.ts';
import {
  GRANTS,
  MEMORY,
  PAGE,
  TASK,
  at,
  fill,
  must,
  now,
  processWithGrants,
  recordOf,
  result,
  run,
  unmap,
} from './scene.ts';

const PRIVATE = FUTEX_PRIVATE_FLAG;
const wait = (vpn: number, value: number, how: number, timeout = 5) =>
  run(sysFutex(TASK, at(vpn), FUTEX_WAIT | how, value, timeout, 0));
const wake = (vpn: number, how: number) => run(sysFutex(TASK, at(vpn), FUTEX_WAKE | how, 1, 0, 0));

describe('a key', () => {
  test('of a grant mapping is private only: its page belongs to no file', () => {
    processWithGrants(1);
    const value = 0xa0a0a0a0 | 0;
    expect(wait(GRANTS, value, PRIVATE)).toBe(-ETIMEDOUT);
    expect(wait(GRANTS, 1, PRIVATE)).toBe(-EAGAIN);
    expect(wait(GRANTS, value, 0)).toBe(-EFAULT);
    expect(wake(GRANTS, 0)).toBe(-EFAULT);
    expect(wake(GRANTS, PRIVATE)).toBe(0);
    unmap(GRANTS, 1);
    expect(wait(GRANTS, value, PRIVATE)).toBe(-EFAULT);
    expect(wake(GRANTS, PRIVATE)).toBe(0);
  });

  test('is checked as in Linux', () => {
    processWithGrants(0);
    fill(MEMORY, 0);
    const futex = (addr: number, op: number, bitset = 0) =>
      run(sysFutex(TASK, addr, op, 0, 1, bitset));
    expect(futex(at(MEMORY, 1), FUTEX_WAIT)).toBe(-EINVAL);
    expect(futex(at(64), FUTEX_WAKE)).toBe(-EFAULT);
    expect(futex(at(MEMORY), FUTEX_WAIT_BITSET)).toBe(-EINVAL);
    expect(futex(at(MEMORY), FUTEX_WAKE_BITSET)).toBe(-EINVAL);
    expect(futex(at(MEMORY), FUTEX_WAIT_BITSET, 4)).toBe(-ETIMEDOUT);
    expect(futex(at(MEMORY), 77)).toBe(-ENOSYS);
    expect(now(FutexBucket.waiters.at(0)) + now(FutexBucket.waiters.at(1))).toBe(0);
  });
});

/** A task that waits for the value 0 to change, and one that changes it and wakes. */
function pair(vpn: number, otherVpn: number, how: number, mmOfOther: () => number) {
  const waiter = function* (): Op<void> {
    const status = yield* sysFutex(TASK, at(vpn), FUTEX_WAIT | how, 0, FUTEX_FOREVER, 0);
    writeLocal(result(60), status === 0 || status === -EAGAIN ? 1 : -1);
  };
  const waker = function* (): Op<void> {
    yield* userStore(OTHER_TASK, mmOfOther(), otherVpn, 0, 1);
    yield* sysFutex(OTHER_TASK, at(otherVpn), FUTEX_WAKE | how, 1, 0, 0);
  };
  return [
    { name: 'waiter', v: TASK, body: waiter },
    { name: 'waker', v: OTHER_TASK, body: waker },
  ];
}

describe('a sleeper is woken', () => {
  test.each(['sc', 'tso'] as const)('by a thread of its own, under %s', (memory) => {
    const { machine, mm } = processWithGrants(0, { futexBuckets: 1 });
    fill(MEMORY, 0);
    joinTask(OTHER_TASK, mm);
    const tasks = pair(MEMORY, MEMORY, PRIVATE, () => mm);
    for (const strategy of ['pct', 'random'] as const) {
      const found = explore(machine, tasks, {
        memory,
        strategy,
        executions: 500,
        final: () => (now(result(60)) === 1 ? null : 'it was not woken'),
      });
      expect(found.finding).toBeUndefined();
    }
  });

  test.each([
    { key: 'shared', how: 0, sleeps: undefined },
    { key: 'private, which is another futex', how: PRIVATE, sleeps: 'deadlock' },
  ])('by another process with the same file elsewhere; key $key', ({ how, sleeps }) => {
    const { machine, mm } = processWithGrants(0);
    const fd = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
    fill(MEMORY, 0);
    must(run(sysPwrite64(TASK, fd, at(MEMORY), PAGE, 0)));
    const inode = now(File.object.at(recordOf(fd)));
    const flags = VM_READ | VM_WRITE | VM_SHARED;
    must(run(mmapRegion(TASK, mm, 16, 1, flags, VM_OPS_SHMEM, inode, 0)));
    const child = fork(TASK);
    runAlone(contextSwitch(OTHER_TASK, child));
    const other = currentMm(OTHER_TASK);
    must(run(mmapRegion(OTHER_TASK, other, 20, 1, flags, VM_OPS_SHMEM, inode, 0)));
    const found = explore(
      machine,
      pair(16, 20, how, () => other),
      {
        executions: 100,
        final: () => (now(result(60)) === 1 ? null : 'it was not woken'),
      },
    );
    expect(found.finding?.invariant).toBe(sleeps);
  });
});
