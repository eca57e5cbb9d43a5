/**
 * Goal: a pipe gives back every byte once and in order, sleeps and wakes as it must, and holds user
 * pages that were spliced into it for exactly as long as they are in it.
 * Method: random calls against a queue (fast-check); readers and writers in every order under the
 * explorer; a grant that is unmapped while its page is in a pipe.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EAGAIN, EBADF, EFAULT, EINVAL, EPIPE } from '../../../src/linux/errno.ts';
import { getFiles, sysClose } from '../../../src/linux/fs/fd-table.ts';
import { O_NONBLOCK, O_RDWR } from '../../../src/linux/fs/file.ts';
import { currentFiles, setCurrentFiles } from '../../../src/linux/fs/files-struct.ts';
import { NODE_TMPFILE, sysOpen } from '../../../src/linux/fs/open.ts';
import { sysPread64, sysRead, sysWrite } from '../../../src/linux/fs/read-write.ts';
import { SPLICE_F_GIFT, SPLICE_F_NONBLOCK } from '../../../src/linux/fs/splice-wait.ts';
import { NO_OFFSET, sysSplice, sysTee } from '../../../src/linux/fs/splice.ts';
import { sysVmsplice } from '../../../src/linux/fs/vmsplice.ts';
import { store } from '../process/scene.ts';
import { VMA_PAGES } from '../../../src/linux/designs/design.ts';
import { REG_VALUE, reg } from '../../../src/hardware/vcpu.ts';
import { getUserPages, gupPut } from '../../../src/linux/mm/gup.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { Page } from '../../../src/linux/mm/page.ts';
import { userLoad } from '../../../src/linux/mm/user-access.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { OTHER_TASK, explore } from '../drivers/guests.ts';
import { joinTask } from '../mm/machine.ts';
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
  pinOf,
  processWithGrants,
  result,
  run,
  unmap,
} from './scene.ts';

describe('a pipe', () => {
  test('gives back what was written, in order, and no more than fits', () => {
    const command = fc.record({ write: fc.boolean(), bytes: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        processWithGrants(0, { pipeSlots: 4 });
        const { reader, writer } = newPipe(O_NONBLOCK);
        const queue: number[] = [];
        let next = 1;
        for (const { write, bytes } of commands) {
          if (write) {
            for (let i = 0; i < bytes; i++) {
              store(TASK, MEMORY + Math.floor(i / PAGE), next + i, i % PAGE);
            }
            const done = run(sysWrite(TASK, writer, at(MEMORY), bytes));
            expect(done === -EAGAIN || (done > 0 && done <= bytes)).toBe(true);
            for (let i = 0; i < Math.max(0, done); i++) queue.push(next++);
            expect(queue.length).toBeLessThanOrEqual(4 * PAGE);
          } else {
            const done = run(sysRead(TASK, reader, at(MEMORY), bytes));
            expect(done).toBe(queue.length === 0 ? -EAGAIN : Math.min(bytes, queue.length));
            if (done > 0) expect(bytesAt(MEMORY, done)).toEqual(queue.splice(0, done));
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  test('says EPIPE without readers, and the end without writers', () => {
    processWithGrants(0);
    const first = newPipe();
    expect(run(sysWrite(TASK, first.writer, at(MEMORY), 3))).toBe(3);
    must(run(sysClose(TASK, first.writer)));
    expect(run(sysRead(TASK, first.reader, at(MEMORY), 9))).toBe(3);
    expect(run(sysRead(TASK, first.reader, at(MEMORY), 9))).toBe(0);
    const second = newPipe();
    must(run(sysClose(TASK, second.reader)));
    expect(run(sysWrite(TASK, second.writer, at(MEMORY), 3))).toBe(-EPIPE);
    expect(run(sysVmsplice(TASK, second.writer, iovec([at(MEMORY), 3]), 1, 0))).toBe(-EPIPE);
  });

  test('keeps what was copied before a fault', () => {
    processWithGrants(0);
    const { reader, writer } = newPipe(O_NONBLOCK);
    fill(MEMORY + 3, 5);
    const page = at(MEMORY + 3);
    // The first page is there, the second is not: the write ends with the first.
    expect(run(sysWrite(TASK, writer, page, 2 * PAGE))).toBe(PAGE);
    expect(run(sysWrite(TASK, writer, at(MEMORY + 4), PAGE))).toBe(-EFAULT);
    expect(run(sysRead(TASK, reader, at(MEMORY), 3 * PAGE))).toBe(PAGE);
    expect(run(sysRead(TASK, reader, at(MEMORY), 3 * PAGE))).toBe(-EAGAIN);
  });

  test.each(['sc', 'tso'] as const)('wakes who sleeps on it, under %s', (memory) => {
    const { machine, mm } = processWithGrants(0, { pipeSlots: 1, frameWords: 2 });
    const { reader, writer } = newPipe();
    joinTask(OTHER_TASK, mm);
    setCurrentFiles(OTHER_TASK, currentFiles(TASK));
    runAlone(getFiles(currentFiles(TASK)));
    const sender = function* (): Op<void> {
      for (let i = 0; i < 2; i++) yield* sysWrite(TASK, writer, MEMORY * 2, 2);
    };
    const receiver = function* (): Op<void> {
      let got = 0;
      while (got < 4) got += yield* sysRead(OTHER_TASK, reader, MEMORY * 2 + 2, 2);
      writeLocal(result(60), got);
    };
    for (const strategy of ['pct', 'random'] as const) {
      const found = explore(
        machine,
        [
          { name: 'sender', v: TASK, body: sender },
          { name: 'receiver', v: OTHER_TASK, body: receiver },
        ],
        {
          memory,
          strategy,
          executions: 60,
          final: () => (now(result(60)) === 4 ? null : 'bytes are missing'),
        },
      );
      expect(found.finding).toBeUndefined();
    }
  });
});

describe('vmsplice', () => {
  test.each([0, SPLICE_F_GIFT])('holds a grant page until it is read (flags %i)', (flags) => {
    const { machine, mm, grants } = processWithGrants(2, { design: VMA_PAGES, frameWords: 2 });
    const { reader, writer } = newPipe();
    must(run(sysVmsplice(TASK, writer, iovec([GRANTS * 2 + 1, 2]), 1, flags)));
    joinTask(OTHER_TASK, mm);
    setCurrentFiles(OTHER_TASK, currentFiles(TASK));
    runAlone(getFiles(currentFiles(TASK)));
    const unmapper = function* (): Op<void> {
      yield* doMunmap(TASK, mm, GRANTS, 2);
      writeLocal(
        result(61),
        grants.reduce((pins, grant) => pins + pinOf(grant), 0),
      );
    };
    const receiver = function* (): Op<void> {
      yield* sysRead(OTHER_TASK, reader, MEMORY * 2, 2);
      yield* userLoad(OTHER_TASK, mm, MEMORY, 0);
      writeLocal(result(62), reg(OTHER_TASK, REG_VALUE));
      yield* userLoad(OTHER_TASK, mm, MEMORY, 1);
      writeLocal(result(63), reg(OTHER_TASK, REG_VALUE));
    };
    const found = explore(
      machine,
      [
        { name: 'unmapper', v: TASK, body: unmapper },
        { name: 'receiver', v: OTHER_TASK, body: receiver },
      ],
      {
        executions: 80,
        final: () =>
          [61, 62, 63].map((i) => now(result(i))).join() === '0,160,161' ? null : 'wrong',
      },
    );
    expect(found.finding).toBeUndefined();
  });

  test('takes pages as far as they are there and the ring has room', () => {
    processWithGrants(2, { pipeSlots: 2 });
    const { reader, writer } = newPipe(O_NONBLOCK);
    const vmsplice = (fd: number, word: number, nr: number, flags = 0) =>
      run(sysVmsplice(TASK, fd, word, nr, flags));
    expect(vmsplice(writer, iovec([at(GRANTS), 3 * PAGE]), 1)).toBe(2 * PAGE);
    expect(vmsplice(writer, iovec([at(GRANTS), 1]), 1, SPLICE_F_NONBLOCK)).toBe(-EAGAIN);
    expect(vmsplice(reader, iovec([at(MEMORY), PAGE], [at(MEMORY + 2), PAGE]), 2)).toBe(2 * PAGE);
    expect([bytesAt(MEMORY, 1), bytesAt(MEMORY + 2, 1)]).toEqual([[160], [161]]);
    unmap(GRANTS, 2);
    expect(vmsplice(writer, iovec([at(GRANTS), 1]), 1)).toBe(-EFAULT);
    expect(vmsplice(writer, iovec([at(GRANTS), 1]), 1, 16)).toBe(-EINVAL);
    expect(vmsplice(writer, iovec([at(GRANTS), -1]), 1)).toBe(-EINVAL);
    const file = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
    expect(vmsplice(file, iovec([at(MEMORY), 1]), 1)).toBe(-EBADF);
    expect(vmsplice(15, iovec([at(MEMORY), 1]), 1)).toBe(-EBADF);
    expect(vmsplice(writer, iovec([at(MEMORY), 0]), 1)).toBe(0);
  });
});

describe('splice and tee', () => {
  test('carry a grant page from pipe to pipe to file, and let go of it', () => {
    const { mm } = processWithGrants(1);
    const count = (): number => now(Page.refcount.at(pageOfGrant(mm)));
    const before = count();
    const a = newPipe();
    const b = newPipe();
    const file = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
    must(run(sysVmsplice(TASK, a.writer, iovec([at(GRANTS), PAGE]), 1, 0)));
    expect(run(sysTee(TASK, a.reader, b.writer, 5, 0))).toBe(5);
    expect(run(sysSplice(TASK, a.reader, NO_OFFSET, b.writer, NO_OFFSET, 3, 0))).toBe(3);
    expect(count()).toBe(before + 3);
    expect(run(sysSplice(TASK, b.reader, NO_OFFSET, file, 2, 20, 0))).toBe(8);
    expect(run(sysPread64(TASK, file, at(MEMORY), 30, 0))).toBe(10);
    expect(bytesAt(MEMORY, 10)).toEqual([0, 0, ...Array.from({ length: 8 }, () => 160)]);
    expect(count()).toBe(before + 1);
    expect(run(sysRead(TASK, a.reader, at(MEMORY), 30))).toBe(5);
    expect(count()).toBe(before);
  });

  test('put the pages of a file into a pipe', () => {
    processWithGrants(0);
    const { reader, writer } = newPipe();
    const file = must(run(sysOpen(TASK, NODE_TMPFILE, O_RDWR)));
    fill(MEMORY, 7);
    must(run(sysWrite(TASK, file, at(MEMORY), 5)));
    expect(run(sysSplice(TASK, file, 1, writer, NO_OFFSET, 20, 0))).toBe(4);
    fill(MEMORY, 8);
    expect(run(sysRead(TASK, reader, at(MEMORY + 1), 20))).toBe(4);
    expect(bytesAt(MEMORY + 1, 4)).toEqual([7, 7, 7, 7]);
    expect(run(sysSplice(TASK, file, 5, writer, NO_OFFSET, 20, 0))).toBe(0);
    expect(run(sysSplice(TASK, file, 0, file, 0, 20, 0))).toBe(-EINVAL);
    expect(run(sysTee(TASK, reader, writer, 1, 0))).toBe(-EINVAL);
  });
});

/** The page that the first grant is mapped onto. */
function pageOfGrant(mm: number): number {
  const out = result(50);
  must(run(getUserPages(TASK, mm, GRANTS, 1, 0, out)));
  runAlone(gupPut(TASK, now(out), 0));
  return now(out);
}
