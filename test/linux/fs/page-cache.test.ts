/**
 * Goal: a look-up in a page cache without a lock never gives a page that has left it for somebody
 * else, and writers of one file do not lose each other's bytes.
 * Method: a reader beside a truncation whose page is used again at once; two who append; two who
 * write to a disk for the first time. All under the explorer.
 */
import { describe, expect, test } from 'vitest';
import { getFiles } from '../../../src/linux/fs/fd-table.ts';
import { BrdPage } from '../../../src/linux/fs/brd.ts';
import { File, O_APPEND, O_DIRECT, O_RDWR } from '../../../src/linux/fs/file.ts';
import { currentFiles, setCurrentFiles } from '../../../src/linux/fs/files-struct.ts';
import { NODE_RAM0, NODE_TMPFILE, sysOpen } from '../../../src/linux/fs/open.ts';
import { Inode, findGetPage } from '../../../src/linux/fs/page-cache.ts';
import { sysPread64, sysPwrite64, sysWrite } from '../../../src/linux/fs/read-write.ts';
import { shmemTruncate } from '../../../src/linux/fs/shmem.ts';
import { writePageWord } from '../../../src/linux/mm/direct-map.ts';
import { allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { NO_PAGE, Page, putPage } from '../../../src/linux/mm/page.ts';
import type { Op } from '../../../src/shared/op.ts';
import { readLocal, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { OTHER_TASK, explore } from '../drivers/guests.ts';
import { joinTask } from '../mm/machine.ts';
import {
  MEMORY,
  TASK,
  at,
  bytesAt,
  fill,
  must,
  now,
  processWithGrants,
  recordOf,
  result,
  run,
} from './scene.ts';

/** A process of two threads. */
function twoThreads() {
  const scene = processWithGrants(0, { frameWords: 2 });
  joinTask(OTHER_TASK, scene.mm);
  setCurrentFiles(OTHER_TASK, currentFiles(TASK));
  runAlone(getFiles(currentFiles(TASK)));
  return scene;
}

describe('a page of a cache', () => {
  test.each(['pct', 'random'] as const)('is the one of its index or none (%s)', (strategy) => {
    const { machine } = twoThreads();
    const fd = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
    fill(MEMORY, 7);
    must(run(sysPwrite64(TASK, fd, MEMORY * 2, 2, 0)));
    const inode = now(File.object.at(recordOf(fd)));
    const reader = function* (): Op<void> {
      const pg = yield* findGetPage(TASK, inode, 0);
      if (pg === NO_PAGE) return;
      writeLocal(result(60), readLocal(Page.private.at(pg)) === 99 ? 1 : 0);
      yield* putPage(TASK, pg);
    };
    const truncater = function* (): Op<void> {
      yield* shmemTruncate(OTHER_TASK, inode, 0);
      const pg = yield* allocPage(OTHER_TASK);
      writeLocal(Page.private.at(pg), 99);
      yield* writePageWord(OTHER_TASK, pg, 0, 1);
    };
    const found = explore(
      machine,
      [
        { name: 'reader', v: TASK, body: reader },
        { name: 'truncater', v: OTHER_TASK, body: truncater },
      ],
      {
        strategy,
        executions: 400,
        final: () => (now(result(60)) === 1 ? 'the page is somebody else’s' : null),
      },
    );
    expect(found.finding).toBeUndefined();
  });
});

describe('two writers', () => {
  test('who append each have their bytes', () => {
    const { machine } = twoThreads();
    const fd = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR | O_APPEND)));
    const other = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR | O_APPEND)));
    // Both numbers name files of one inode, each with its own f_pos.
    const inode = now(File.object.at(recordOf(fd)));
    writeLocal(File.object.at(recordOf(other)), inode);
    fill(MEMORY, 7);
    const writer = (v: number, number: number) =>
      function* (): Op<void> {
        yield* sysWrite(v, number, MEMORY * 2, 1);
      };
    const found = explore(
      machine,
      [
        { name: 'a', v: TASK, body: writer(TASK, fd) },
        { name: 'b', v: OTHER_TASK, body: writer(OTHER_TASK, other) },
      ],
      {
        executions: 200,
        final: () => {
          const read = runAlone(sysPread64(TASK, fd, at(MEMORY + 1), 2, 0));
          return read === 2 ? null : `${read} bytes`;
        },
      },
    );
    expect(found.finding).toBeUndefined();
    expect(bytesAt(MEMORY, 1)).toEqual([7]);
  });

  test('who fill a disk’s first page lose nothing', () => {
    const { machine } = twoThreads();
    const disk = must(run(sysOpen(TASK, NODE_RAM0, O_RDWR | O_DIRECT)));
    fill(MEMORY, 7);
    const used = (): number =>
      Array.from({ length: Page.refcount.count }, (_, pfn) =>
        now(Page.refcount.at2(1, pfn)),
      ).filter((count) => count > 0).length;
    const before = used();
    const writer = (v: number) =>
      function* (): Op<void> {
        yield* sysPwrite64(v, disk, MEMORY * 2, 2, 0);
      };
    const found = explore(
      machine,
      [
        { name: 'a', v: TASK, body: writer(TASK) },
        { name: 'b', v: OTHER_TASK, body: writer(OTHER_TASK) },
      ],
      {
        executions: 200,
        final: () => (used() === before + 1 ? null : `${used() - before} pages`),
      },
    );
    expect(found.finding).toBeUndefined();
    expect(BrdPage.value.count).toBeGreaterThan(0);
  });

  test('who open a disk first share its cache', () => {
    const { machine } = twoThreads();
    const opener = (v: number) =>
      function* (): Op<void> {
        const fd = yield* sysOpen(v, NODE_RAM0, O_RDWR);
        writeLocal(result(60 + v), fd);
      };
    const found = explore(
      machine,
      [
        { name: 'a', v: TASK, body: opener(TASK) },
        { name: 'b', v: OTHER_TASK, body: opener(OTHER_TASK) },
      ],
      {
        executions: 200,
        final: () => {
          const [a, b] = [TASK, OTHER_TASK].map((v) =>
            now(File.object.at(recordOf(now(result(60 + v))))),
          );
          return a === b && now(Inode.count.at(a as number)) === 3 ? null : `${a}, ${b}`;
        },
      },
    );
    expect(found.finding).toBeUndefined();
  });
});
