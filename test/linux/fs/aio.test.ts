/**
 * Goal: an asynchronous request holds the pages of its buffer until its data has moved, each has
 * one event, and nobody who waits for one sleeps for ever.
 * Method: single calls on a disk whose requests a thread does later; submitter, thread and an
 * unmapper in many orders under the explorer.
 */
import { describe, expect, test } from 'vitest';
import { EAGAIN, EBADF, EFAULT, EINVAL } from '../../../src/linux/errno.ts';
import { AIO_FOREVER, sysIoGetevents } from '../../../src/linux/fs/aio-events.ts';
import {
  IOCB_CMD_PREAD,
  IOCB_CMD_PWRITE,
  exitAio,
  sysIoDestroy,
  sysIoSetup,
  sysIoSubmit,
} from '../../../src/linux/fs/aio.ts';
import { loopThread, loopThreadTurn } from '../../../src/linux/fs/bio.ts';
import { O_DIRECT, O_RDWR } from '../../../src/linux/fs/file.ts';
import { NODE_LOOP0, NODE_RAM0, NODE_TMPFILE, sysOpen } from '../../../src/linux/fs/open.ts';
import { KioctxPool } from '../../../src/linux/fs/aio-complete.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { Page } from '../../../src/linux/mm/page.ts';
import { VMA_PAGES } from '../../../src/linux/designs/design.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { KTHREAD, OTHER_TASK, explore } from '../drivers/guests.ts';
import { joinTask } from '../mm/machine.ts';
import {
  GRANTS,
  MEMORY,
  PAGE,
  TASK,
  at,
  bytesAt,
  fill,
  must,
  now,
  processWithGrants,
  result,
  run,
} from './scene.ts';

/** One record struct iocb. @returns its word. */
function iocb(fd: number, opcode: number, addr: number, bytes: number, pos: number): number {
  [opcode, fd, addr, bytes, pos, 1234].forEach((value, i) => writeLocal(result(20 + i), value));
  return result(20);
}

const event = (): number[] => [now(result(40)), now(result(42))];
const events = (ctx: number, timeout = 0) =>
  run(sysIoGetevents(TASK, ctx, 1, 1, result(40), timeout));

describe('a request', () => {
  test('holds the pages of a grant mapping until it is done', () => {
    processWithGrants(1);
    const disk = must(run(sysOpen(TASK, NODE_LOOP0, O_RDWR | O_DIRECT)));
    const ctx = must(run(sysIoSetup(TASK, 4)));
    const busy = (): number =>
      Array.from({ length: Page.refcount.count }, (_, pfn) =>
        now(Page.refcount.at2(1, pfn)),
      ).reduce((sum, count) => sum + count, 0);
    const before = busy();
    const request = iocb(disk, IOCB_CMD_PWRITE, at(GRANTS), PAGE, 0);
    expect(run(sysIoSubmit(TASK, ctx, 1, request))).toBe(1);
    expect(events(ctx)).toBe(0);
    expect(busy()).toBe(before + 1);
    runAlone(loopThreadTurn(KTHREAD));
    // The disk has a page of its own by now.
    expect(busy()).toBe(before + 1);
    expect(events(ctx)).toBe(1);
    expect(event()).toEqual([1234, PAGE]);
  });

  test('that fails has an event; one that is wrong is refused', () => {
    processWithGrants(0);
    const ram = must(run(sysOpen(TASK, NODE_RAM0, O_RDWR | O_DIRECT)));
    const file = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
    const ctx = must(run(sysIoSetup(TASK, 2)));
    const submit = (word: number) => run(sysIoSubmit(TASK, ctx, 1, word));
    expect(submit(iocb(ram, IOCB_CMD_PWRITE, at(30), PAGE, 0))).toBe(1);
    expect(events(ctx)).toBe(1);
    expect(event()).toEqual([1234, -EFAULT]);
    fill(MEMORY, 4);
    expect(submit(iocb(file, IOCB_CMD_PWRITE, at(MEMORY), 3, 0))).toBe(1);
    expect(submit(iocb(file, IOCB_CMD_PREAD, at(MEMORY + 1), 3, 0))).toBe(1);
    expect(bytesAt(MEMORY + 1, 3)).toEqual([4, 4, 4]);
    // Two events that nobody has read: there is room for two.
    expect(submit(iocb(file, IOCB_CMD_PREAD, at(MEMORY + 1), 3, 0))).toBe(-EAGAIN);
    expect(events(ctx, 3)).toBe(1);
    expect(events(ctx)).toBe(1);
    expect(submit(iocb(14, IOCB_CMD_PREAD, at(MEMORY), 3, 0))).toBe(-EBADF);
    expect(submit(iocb(file, 3, at(MEMORY), 3, 0))).toBe(-EINVAL);
    expect(submit(iocb(file, IOCB_CMD_PREAD, at(MEMORY), 3, -1))).toBe(-EINVAL);
    expect(run(sysIoDestroy(TASK, ctx))).toBe(0);
    expect(run(sysIoDestroy(TASK, ctx))).toBe(-EINVAL);
    expect(submit(iocb(file, IOCB_CMD_PREAD, at(MEMORY), 3, 0))).toBe(-EINVAL);
    expect(run(sysIoSetup(TASK, 0))).toBe(-EINVAL);
    expect(run(sysIoSetup(TASK, 1000))).toBe(-EAGAIN);
  });

  test('is waited for when the address space goes', () => {
    const { mm } = processWithGrants(0);
    const ctx = must(run(sysIoSetup(TASK, 2)));
    expect(now(KioctxPool.value.word)).toBe(1);
    runAlone(exitAio(mm));
    expect(now(KioctxPool.value.word)).toBe(0);
    expect(run(sysIoDestroy(TASK, ctx))).toBe(-EINVAL);
  });
});

test.each(['sc', 'tso'] as const)('an event wakes its reader, under %s', (memory) => {
  const { machine, mm } = processWithGrants(1, { design: VMA_PAGES, frameWords: 2 });
  const disk = must(run(sysOpen(TASK, NODE_LOOP0, O_RDWR | O_DIRECT)));
  const ctx = must(run(sysIoSetup(TASK, 2)));
  joinTask(OTHER_TASK, mm);
  const request = iocb(disk, IOCB_CMD_PWRITE, GRANTS * 2, 2, 0);
  const submitter = function* (): Op<void> {
    yield* sysIoSubmit(TASK, ctx, 1, request);
    yield* sysIoGetevents(TASK, ctx, 1, 1, result(40), AIO_FOREVER);
  };
  const unmapper = function* (): Op<void> {
    yield* doMunmap(OTHER_TASK, mm, GRANTS, 1);
  };
  for (const strategy of ['pct', 'random'] as const) {
    const found = explore(
      machine,
      [
        { name: 'submitter', v: TASK, body: submitter },
        { name: 'unmapper', v: OTHER_TASK, body: unmapper },
      ],
      {
        memory,
        strategy,
        executions: 50,
        daemons: [{ name: 'loop0', v: KTHREAD, body: () => loopThread(KTHREAD) }],
        final: () => (now(result(42)) === 2 || now(result(42)) === -EFAULT ? null : 'no event'),
      },
    );
    expect(found.finding).toBeUndefined();
  }
});

test('the data that a slow disk read comes back', () => {
  processWithGrants(1);
  const disk = must(run(sysOpen(TASK, NODE_LOOP0, O_RDWR | O_DIRECT)));
  const ctx = must(run(sysIoSetup(TASK, 2)));
  must(run(sysIoSubmit(TASK, ctx, 1, iocb(disk, IOCB_CMD_PWRITE, at(GRANTS), PAGE, PAGE))));
  runAlone(loopThreadTurn(KTHREAD));
  must(run(sysIoSubmit(TASK, ctx, 1, iocb(disk, IOCB_CMD_PREAD, at(MEMORY), PAGE, PAGE))));
  runAlone(loopThreadTurn(KTHREAD));
  expect(bytesAt(MEMORY, 2)).toEqual([160, 160]);
});
