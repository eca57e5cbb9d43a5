/**
 * Goal: a number names the file that was opened under it and no other, and a file lives exactly as
 * long as somebody has it.
 * Method: random calls of one process against a model; a table that two threads share, under the
 * explorer, where one looks a number up while the other closes and opens.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GntdevBitmap } from '../../../src/linux/drivers/gntdev/grant-map.ts';
import { EBADF, EINVAL, EMFILE } from '../../../src/linux/errno.ts';
import {
  doCloseOnExec,
  dupFd,
  fget,
  filesLookupFd,
  getFiles,
  installFile,
  putFiles,
  sysClose,
  unshareFiles,
} from '../../../src/linux/fs/fd-table.ts';
import {
  FD_CLOEXEC,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_SETFD,
  sysDup,
  sysDup2,
  sysDup3,
  sysFcntl,
} from '../../../src/linux/fs/fcntl.ts';
import { FILE_OPS_PRIVCMD } from '../../../src/linux/fs/file-ops.ts';
import {
  File,
  FilePool,
  NO_FILE,
  O_CLOEXEC,
  allocFile,
  fileObject,
  fput,
} from '../../../src/linux/fs/file.ts';
import {
  FdBitmap,
  FdSlot,
  currentFiles,
  filesAlloc,
  maxFds,
  setCurrentFiles,
} from '../../../src/linux/fs/files-struct.ts';
import { NODE_GNTDEV, NODE_PRIVCMD, sysOpen } from '../../../src/linux/fs/open.ts';
import type { Op } from '../../../src/shared/op.ts';
import { readLocal, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import {
  OTHER_TASK,
  TASK,
  bootGuests,
  explore,
  must,
  now,
  result,
  userSpace,
} from '../drivers/guests.ts';

const run = (op: Op): number => runAlone(op);

/** A process of the mapper on TASK. */
function newProcess(...sharers: number[]): number {
  userSpace(TASK, ...sharers);
  const files = run(filesAlloc());
  setCurrentFiles(TASK, files);
  for (const v of sharers) {
    runAlone(getFiles(files));
    setCurrentFiles(v, files);
  }
  return files;
}

/** Files of `File` in use. */
const filesInUse = (): number => now(FilePool.value.word).toString(2).replaceAll('0', '').length;

describe('descriptors', () => {
  test('name the files of a model, whatever is opened, duplicated and closed', () => {
    const fd = fc.nat(5);
    const command = fc.oneof(
      fc.record({ call: fc.constant('open' as const) }),
      fc.record({ call: fc.constant('close' as const), fd }),
      fc.record({ call: fc.constant('dup' as const), fd }),
      fc.record({ call: fc.constant('dup2' as const), fd, to: fd }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        bootGuests({ fds: 5 });
        const files = newProcess();
        const model: (number | undefined)[] = Array.from({ length: maxFds() });
        const lowest = (): number => model.findIndex((file) => file === undefined);
        for (const c of commands) {
          if (c.call === 'open') {
            const want = lowest() < 0 ? -EMFILE : lowest();
            expect(run(sysOpen(TASK, NODE_PRIVCMD, 0))).toBe(want);
            if (want >= 0) model[want] = now(FdSlot.value.at2(files, want));
          } else if (c.call === 'close') {
            expect(run(sysClose(TASK, c.fd))).toBe(model[c.fd] === undefined ? -EBADF : 0);
            model[c.fd] = undefined;
          } else if (c.call === 'dup') {
            const to = lowest();
            const want = model[c.fd] === undefined ? -EBADF : to < 0 ? -EMFILE : to;
            expect(run(sysDup(TASK, c.fd))).toBe(want);
            if (want >= 0) model[want] = model[c.fd];
          } else {
            const bad = model[c.fd] === undefined || c.to >= maxFds();
            expect(run(sysDup2(TASK, c.fd, c.to))).toBe(bad ? -EBADF : c.to);
            if (!bad) model[c.to] = model[c.fd];
          }
          if (model.length > maxFds()) model.length = maxFds();
          model.forEach((file, i) => {
            expect(now(FdSlot.value.at2(files, i))).toBe(file ?? NO_FILE);
          });
          expect(filesInUse()).toBe(new Set(model.filter((file) => file !== undefined)).size);
        }
        runAlone(putFiles(TASK, files));
        expect(filesInUse()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('of a forked process name the same files; the last close releases gntdev', () => {
    bootGuests();
    const files = newProcess();
    const fd = must(run(sysOpen(TASK, NODE_GNTDEV, 0)));
    const copy = run(dupFd(files));
    expect(run(filesLookupFd(copy, fd))).toBe(run(filesLookupFd(files, fd)));
    expect(run(sysClose(TASK, fd))).toBe(0);
    expect(now(GntdevBitmap.value.word)).toBe(1);
    setCurrentFiles(OTHER_TASK, copy);
    expect(run(sysClose(OTHER_TASK, fd))).toBe(0);
    expect(now(GntdevBitmap.value.word)).toBe(0);
    expect(run(sysClose(OTHER_TASK, fd))).toBe(-EBADF);
  });

  test('close on exec if they are marked, in a table of the own', () => {
    bootGuests();
    const files = newProcess(OTHER_TASK);
    const kept = must(run(sysOpen(TASK, NODE_PRIVCMD, 0)));
    const closed = must(run(sysOpen(TASK, NODE_PRIVCMD, O_CLOEXEC)));
    const marked = must(run(sysFcntl(TASK, kept, F_DUPFD_CLOEXEC, 7)));
    expect(run(sysFcntl(TASK, marked, F_GETFD, 0))).toBe(FD_CLOEXEC);
    const unmarked = must(run(sysDup(TASK, marked)));
    must(run(sysDup3(TASK, kept, 9, O_CLOEXEC)));
    must(run(sysFcntl(TASK, 9, F_SETFD, 0)));
    const own = run(unshareFiles(TASK, files));
    expect(own).not.toBe(files);
    setCurrentFiles(TASK, own);
    runAlone(doCloseOnExec(TASK, own));
    const open = (table: number): number[] =>
      [kept, closed, marked, unmarked, 9].map((fd) =>
        now(FdSlot.value.at2(table, fd)) > 0 ? 1 : 0,
      );
    expect(open(own)).toEqual([1, 0, 0, 1, 1]);
    expect(open(files)).toEqual([1, 1, 1, 1, 1]);
    expect(now(FdBitmap.closeOnExec.at2(own, 0))).toBe(0);
    expect(run(unshareFiles(TASK, own))).toBe(own);
  });

  test('refuse what Linux refuses', () => {
    bootGuests({ fds: 4 });
    newProcess();
    const fd = must(run(sysOpen(TASK, NODE_PRIVCMD, 0)));
    expect(run(sysClose(TASK, -1))).toBe(-EBADF);
    expect(run(sysClose(TASK, 4))).toBe(-EBADF);
    expect(run(sysDup3(TASK, fd, fd, 0))).toBe(-EINVAL);
    expect(run(sysDup3(TASK, fd, 2, 1))).toBe(-EINVAL);
    expect(run(sysDup2(TASK, fd, 4))).toBe(-EBADF);
    expect(run(sysFcntl(TASK, fd, F_DUPFD_CLOEXEC, 4))).toBe(-EINVAL);
    expect(run(sysFcntl(TASK, fd, 99, 0))).toBe(-EINVAL);
    expect(run(sysFcntl(TASK, 3, F_GETFD, 0))).toBe(-EBADF);
  });
});

/** Marks of files, to tell them apart: what is opened in `fd` of the shared table. */
const FIRST = 11;
const SECOND = 22;

function* openMarked(v: number, mark: number): Op {
  return yield* installFile(v, yield* allocFile(FILE_OPS_PRIVCMD, mark, 0), 0);
}

describe('a table that threads share', () => {
  test.each(['sc', 'tso'] as const)('gives the file of the number under %s', (memory) => {
    const machine = bootGuests({ files: 1 });
    const files = newProcess(OTHER_TASK);
    const fd = must(run(openMarked(TASK, FIRST)));
    // The file that comes into the record afterwards is under no number.
    const other = function* (): Op<void> {
      yield* sysClose(OTHER_TASK, fd);
      yield* allocFile(FILE_OPS_PRIVCMD, SECOND, 0);
    };
    const looker = function* (): Op<void> {
      const file = yield* fget(TASK, files, fd);
      writeLocal(result(1), file === NO_FILE ? 0 : readLocal(File.object.at(fileObject(file))));
      if (file !== NO_FILE) yield* fput(TASK, file);
    };
    const tasks = [
      { name: 'looker', v: TASK, body: looker },
      { name: 'closer', v: OTHER_TASK, body: other },
    ];
    const found = explore(machine, tasks, {
      memory,
      executions: 3000,
      strategy: 'dfs',
      final: () => (now(result(1)) === SECOND ? 'the file is not of this number' : null),
    });
    expect(found.finding).toBeUndefined();
  });

  test('gives different numbers to two who open', () => {
    const machine = bootGuests();
    newProcess(OTHER_TASK);
    const opener = (v: number) =>
      function* (): Op<void> {
        writeLocal(result(v), yield* openMarked(v, v));
      };
    const tasks = [
      { name: 'a', v: TASK, body: opener(TASK) },
      { name: 'b', v: OTHER_TASK, body: opener(OTHER_TASK) },
    ];
    const found = explore(machine, tasks, {
      executions: 400,
      final: () => (now(result(TASK)) === now(result(OTHER_TASK)) ? 'the same number' : null),
    });
    expect(found.finding).toBeUndefined();
    expect(currentFiles(TASK)).toBe(currentFiles(OTHER_TASK));
  });
});
