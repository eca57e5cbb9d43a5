/**
 * Goal: read and write move exactly the bytes that they say, between files of each kind and the
 * memory of a process, of which a grant mapping is a part; and stop where the buffer does.
 * Method: single calls whose results are known, and pipes against a model (fast-check).
 */
import { describe, expect, test } from 'vitest';
import { BrdPage } from '../../../src/linux/fs/brd.ts';
import { sysClose } from '../../../src/linux/fs/fd-table.ts';
import { Inode, InodePool } from '../../../src/linux/fs/page-cache.ts';
import {
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
  sysFsync,
  sysFtruncate,
  sysLseek,
} from '../../../src/linux/fs/seek.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../../src/linux/syscall/mman.ts';
import { sysMmap } from '../../../src/linux/syscall/mmap.ts';
import { load, store } from '../process/scene.ts';
import { EBADF, EFAULT, EINVAL, ENOSPC, ESPIPE } from '../../../src/linux/errno.ts';
import { File, O_DIRECT, O_RDONLY, O_RDWR } from '../../../src/linux/fs/file.ts';
import { NODE_GNTDEV, NODE_RAM0, NODE_TMPFILE, sysOpen } from '../../../src/linux/fs/open.ts';
import {
  sysPread64,
  sysPwrite64,
  sysRead,
  sysReadv,
  sysWrite,
  sysWritev,
} from '../../../src/linux/fs/read-write.ts';
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
  newPipe,
  now,
  processWithGrants,
  recordOf,
  run,
  unmap,
} from './scene.ts';

describe('a grant mapping as buffer', () => {
  test('of a pipe: out, in, and -EFAULT once it is unmapped', () => {
    processWithGrants(2);
    const { reader, writer } = newPipe();
    expect(run(sysWrite(TASK, writer, at(GRANTS, 2), 10))).toBe(10);
    expect(run(sysRead(TASK, reader, at(MEMORY), 100))).toBe(10);
    expect(bytesAt(MEMORY, 10)).toEqual([160, 160, 160, 160, 160, 160, 161, 161, 161, 161]);
    fill(MEMORY, 60);
    expect(run(sysWrite(TASK, writer, at(MEMORY), 5))).toBe(5);
    expect(run(sysRead(TASK, reader, at(GRANTS), 5))).toBe(5);
    expect(bytesAt(GRANTS, 7)).toEqual([60, 60, 60, 60, 60, 160, 160]);
    unmap(GRANTS, 2);
    expect(run(sysWrite(TASK, writer, at(GRANTS), 10))).toBe(-EFAULT);
  });

  test('of a file of tmpfs', () => {
    processWithGrants(2);
    const fd = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
    expect(run(sysWrite(TASK, fd, at(GRANTS, 3), PAGE))).toBe(PAGE);
    expect(run(sysPread64(TASK, fd, at(MEMORY), 100, 0))).toBe(PAGE);
    expect(bytesAt(MEMORY, PAGE)).toEqual([160, 160, 160, 160, 160, 161, 161, 161]);
    expect(run(sysPread64(TASK, fd, at(GRANTS), PAGE, 0))).toBe(PAGE);
    expect(bytesAt(GRANTS, PAGE)).toEqual([160, 160, 160, 160, 160, 161, 161, 161]);
  });

  test('of a disk with O_DIRECT', () => {
    processWithGrants(2);
    const fd = must(run(sysOpen(TASK, NODE_RAM0, O_RDWR | O_DIRECT)));
    expect(run(sysPwrite64(TASK, fd, at(GRANTS), 2 * PAGE, 0))).toBe(2 * PAGE);
    expect(run(sysPread64(TASK, fd, at(MEMORY), 2 * PAGE, 0))).toBe(2 * PAGE);
    expect(bytesAt(MEMORY, 2 * PAGE)).toEqual([
      ...Array.from({ length: PAGE }, () => 160),
      ...Array.from({ length: PAGE }, () => 161),
    ]);
    fill(MEMORY, 102);
    fill(MEMORY + 1, 103);
    expect(run(sysPwrite64(TASK, fd, at(MEMORY), 2 * PAGE, PAGE))).toBe(2 * PAGE);
    expect(run(sysPread64(TASK, fd, at(GRANTS), 2 * PAGE, PAGE))).toBe(2 * PAGE);
    expect(bytesAt(GRANTS + 1, 2)).toEqual([103, 103]);
    expect(run(sysPwrite64(TASK, fd, at(GRANTS, 1), PAGE, 0))).toBe(-EINVAL);
    expect(run(sysPwrite64(TASK, fd, at(GRANTS), PAGE - 1, 0))).toBe(-EINVAL);
    expect(run(sysPwrite64(TASK, fd, at(GRANTS), PAGE, 1))).toBe(-EINVAL);
    expect(run(sysPwrite64(TASK, fd, at(GRANTS), PAGE, 8 * PAGE))).toBe(-ENOSPC);
    unmap(GRANTS + 1, 1);
    expect(run(sysPwrite64(TASK, fd, at(GRANTS), 2 * PAGE, 0))).toBe(PAGE);
    expect(run(sysPread64(TASK, fd, at(GRANTS), 2 * PAGE, 0))).toBe(PAGE);
    expect(run(sysPwrite64(TASK, fd, at(GRANTS + 1), PAGE, 0))).toBe(-EFAULT);
  });
});

test('the cache of a disk and direct I/O agree', () => {
  processWithGrants(0);
  const cached = must(run(sysOpen(TASK, NODE_RAM0, O_RDWR)));
  const direct = must(run(sysOpen(TASK, NODE_RAM0, O_RDWR | O_DIRECT)));
  fill(MEMORY, 7);
  expect(run(sysPwrite64(TASK, cached, at(MEMORY), 3, 2))).toBe(3);
  expect(run(sysPread64(TASK, direct, at(MEMORY + 1), PAGE, 0))).toBe(PAGE);
  expect(bytesAt(MEMORY + 1, PAGE)).toEqual([0, 0, 7, 7, 7, 0, 0, 0]);
  fill(MEMORY, 9);
  expect(run(sysPwrite64(TASK, direct, at(MEMORY), PAGE, 0))).toBe(PAGE);
  expect(run(sysPread64(TASK, cached, at(MEMORY + 1), PAGE, 0))).toBe(PAGE);
  expect(bytesAt(MEMORY + 1, PAGE)).toEqual(Array.from({ length: PAGE }, () => 9));
});

test('several buffers, holes, the end of a file, and f_pos', () => {
  processWithGrants(0);
  const fd = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
  fill(MEMORY, 1);
  fill(MEMORY + 1, 2);
  const parts = iovec([at(MEMORY, 2), 3], [at(MEMORY + 1), 4]);
  expect(run(sysWritev(TASK, fd, parts, 2))).toBe(7);
  expect(run(sysPwrite64(TASK, fd, at(MEMORY), 1, 2 * PAGE))).toBe(1);
  expect(run(sysRead(TASK, fd, at(MEMORY + 2), 2 * PAGE))).toBe(2 * PAGE - 6);
  expect(bytesAt(MEMORY + 2, 10)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(run(sysRead(TASK, fd, at(MEMORY + 2), 2 * PAGE))).toBe(0);
  const to = iovec([at(MEMORY + 3), 2], [at(MEMORY + 3, 4), 3]);
  const again = must(run(sysPread64(TASK, fd, at(MEMORY + 2), 7, 0)));
  expect([again, ...bytesAt(MEMORY + 2, 7)]).toEqual([7, 1, 1, 1, 2, 2, 2, 2]);
  expect(run(sysReadv(TASK, fd, to, 2))).toBe(0);
});

test('what Linux refuses, in its order', () => {
  processWithGrants(0);
  const gntdev = must(run(sysOpen(TASK, NODE_GNTDEV, 0)));
  const readOnly = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDONLY)));
  const { reader, writer } = newPipe();
  expect(run(sysRead(TASK, gntdev, at(MEMORY), 1))).toBe(-EINVAL);
  expect(run(sysWrite(TASK, readOnly, at(MEMORY), 1))).toBe(-EBADF);
  expect(run(sysWrite(TASK, reader, at(MEMORY), 1))).toBe(-EBADF);
  expect(run(sysRead(TASK, 15, at(MEMORY), 1))).toBe(-EBADF);
  expect(run(sysPread64(TASK, reader, at(MEMORY), 1, 0))).toBe(-ESPIPE);
  expect(run(sysPread64(TASK, readOnly, at(MEMORY), 1, -1))).toBe(-EINVAL);
  expect(run(sysWrite(TASK, writer, at(64), 1))).toBe(-EFAULT);
  expect(run(sysWrite(TASK, writer, at(MEMORY), -1))).toBe(-EINVAL);
  expect(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR | O_DIRECT))).toBe(-EINVAL);
});

test('lseek, ftruncate and fsync', () => {
  processWithGrants(0);
  const fd = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
  const { reader } = newPipe();
  fill(MEMORY, 6);
  must(run(sysWrite(TASK, fd, at(MEMORY), 5)));
  expect(run(sysLseek(TASK, fd, -2, SEEK_END))).toBe(3);
  expect(run(sysLseek(TASK, fd, 1, SEEK_CUR))).toBe(4);
  expect(run(sysRead(TASK, fd, at(MEMORY + 1), 9))).toBe(1);
  expect(run(sysFtruncate(TASK, fd, 2))).toBe(0);
  expect(run(sysFtruncate(TASK, fd, 5))).toBe(0);
  expect(run(sysPread64(TASK, fd, at(MEMORY + 1), 9, 0))).toBe(5);
  expect(bytesAt(MEMORY + 1, 5)).toEqual([6, 6, 0, 0, 0]);
  expect(run(sysLseek(TASK, fd, -1, SEEK_SET))).toBe(-EINVAL);
  expect(run(sysLseek(TASK, fd, 0, 3))).toBe(-EINVAL);
  expect(run(sysLseek(TASK, reader, 0, SEEK_SET))).toBe(-ESPIPE);
  expect(run(sysFtruncate(TASK, reader, 0))).toBe(-EINVAL);
  const cached = must(run(sysOpen(TASK, NODE_RAM0, O_RDWR)));
  must(run(sysPwrite64(TASK, cached, at(MEMORY), 1, 0)));
  const disk = now(File.object.at(recordOf(cached)));
  const stored = (): number => now(BrdPage.value.at2(now(Inode.disk.at(disk)), 0));
  expect([run(sysFsync(TASK, fd)), run(sysFsync(TASK, reader))]).toEqual([0, -EINVAL]);
  fill(MEMORY, 9);
  must(run(sysPwrite64(TASK, cached, at(MEMORY), 1, 0)));
  expect(run(sysFsync(TASK, cached))).toBe(0);
  expect(stored()).toBeGreaterThan(0);
});

test('a mapped file of tmpfs is the file', () => {
  const { mm } = processWithGrants(0);
  const fd = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
  fill(MEMORY, 3);
  must(run(sysPwrite64(TASK, fd, at(MEMORY), PAGE, 0)));
  const map = (flags: number) =>
    must(run(sysMmap(TASK, 0, 2 * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0))) / PAGE;
  const shared = map(MAP_SHARED);
  const own = map(MAP_PRIVATE);
  expect([bytesAt(shared, 1), bytesAt(own, 1)]).toEqual([[3], [3]]);
  expect([store(TASK, shared, 4), store(TASK, own, 5, 1)]).toEqual([0, 0]);
  must(run(sysPread64(TASK, fd, at(MEMORY), 2, 0)));
  expect([bytesAt(MEMORY, 2), bytesAt(shared, 2)]).toEqual([
    [4, 3],
    [4, 3],
  ]);
  expect(bytesAt(own, 2)[1]).toBe(5);
  // Beyond the end of the file: SIGBUS.
  expect(load(TASK, shared + 1)).toBe('7/2');
  must(run(sysClose(TASK, fd)));
  expect(bytesAt(shared, 1)).toEqual([4]);
  must(run(doMunmap(TASK, mm, shared, 2)));
  must(run(doMunmap(TASK, mm, own, 2)));
  expect(now(InodePool.value.word)).toBe(0);
});
