/**
 * Goal: whoever holds a VMA's read lock sees it stay as it is, whoever looks without a lock finds
 * the VMA that is there, and writers of an address space exclude each other.
 * Method: lookups beside munmap, mprotect and mmap under PCT; the reader compares what it sees at
 * the start and at the end of its section. A lookup in an untouched VMA must never fail.
 */
import { describe, expect, test } from 'vitest';
import { mmapRegion } from '../../../src/linux/mm/mmap.ts';
import { mprotect } from '../../../src/linux/mm/mprotect.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { Mm } from '../../../src/linux/mm/mm.ts';
import { VM_OPS_ANONYMOUS } from '../../../src/linux/mm/vm-ops.ts';
import { NO_VMA, VM_READ, VM_WRITE, Vma, VmaPool } from '../../../src/linux/mm/vma.ts';
import {
  lockVmaUnderRcu,
  vmaEndRead,
  vmaStartRead,
  vmaStartWrite,
} from '../../../src/linux/mm/vma-lock.ts';
import { splitVma } from '../../../src/linux/mm/vma-split.ts';
import { mmapWriteLock, mmapWriteUnlock } from '../../../src/linux/mm/mm.ts';
import { vmaLookup } from '../../../src/linux/mm/vma-tree.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, read, readLocal, runAlone, write } from '../../../src/shared/operations.ts';
import { rcuReadLock, rcuReadUnlock } from '../../../src/shared/rcu.ts';
import { bootedMachine, joinTask, mapAnonymous, newTask, settle, vmasOf } from './machine.ts';
import { complain, exhaust, race } from './race.ts';

const KTHREAD = 3;
const ANONYMOUS = VM_OPS_ANONYMOUS;

/** What must not change while the VMA is read-locked, as one text. */
function looks(vma: number): string {
  const used = (readLocal(VmaPool.value.at(vma >> 5)) >> (vma & 31)) & 1;
  const fields = [Vma.mm, Vma.vmStart, Vma.vmEnd, Vma.flags, Vma.pgoff];
  return [used, ...fields.map((field) => readLocal(field.at(vma)))].join();
}

/** Locks the VMA of an address, and looks at it again before it unlocks. */
function* reader(v: number, mm: number, vpn: number): Op<void> {
  const vma = yield* lockVmaUnderRcu(v, mm, vpn);
  if (vma === NO_VMA) return;
  const before = looks(vma);
  if (readLocal(Vma.vmStart.at(vma)) > vpn || readLocal(Vma.vmEnd.at(vma)) <= vpn) {
    complain(`vma: ${before} does not hold ${vpn}`);
  }
  yield* cpuRelax();
  yield* cpuRelax();
  if (looks(vma) !== before) complain(`vma: ${before} became ${looks(vma)} under its read lock`);
  yield* vmaEndRead(vma);
}

function scene(sizes: Record<string, number> = {}) {
  const machine = bootedMachine(sizes);
  const mm = newTask(0);
  joinTask(1, mm);
  mapAnonymous(0, mm, 2, 4);
  return { machine, mm };
}

describe.each(['sc', 'tso'] as const)('under %s', (memory) => {
  test('a read-locked VMA keeps its bounds while munmap cuts it', () => {
    for (const splitNewAbove of [0, 1]) {
      const { machine, mm } = scene({ splitNewAbove });
      const result = race({
        machine,
        memory,
        threads: { 0: () => reader(0, mm, 4), 1: () => doMunmap(1, mm, 3, 2) },
        executions: 250,
      });
      expect(result.finding).toBeUndefined();
    }
  });

  test('a read-locked VMA is not used again, and keeps its flags under mprotect', () => {
    const { machine, mm } = scene();
    function* writer(): Op<void> {
      yield* mprotect(1, mm, 2, 4, VM_READ);
      yield* doMunmap(1, mm, 2, 4);
      yield* mmapRegion(1, mm, 10, 2, VM_READ, ANONYMOUS, -1, 0);
    }
    const result = race({
      machine,
      memory,
      threads: { 0: () => reader(0, mm, 2), 1: writer },
      executions: 250,
    });
    expect(result.finding).toBeUndefined();
  });

  test('a lookup without a lock finds an untouched VMA while the tree changes', () => {
    const { machine, mm } = scene({ vmaNodes: 3 });
    mapAnonymous(0, mm, 20, 1);
    const untouched = runAlone(vmaLookup(mm, 20));
    function* lookup(): Op<void> {
      yield* rcuReadLock(0);
      if ((yield* vmaLookup(mm, 20)) !== untouched) complain('tree: an untouched VMA is missing');
      yield* rcuReadUnlock(0);
    }
    function* writer(): Op<void> {
      yield* doMunmap(1, mm, 2, 4);
      yield* mmapRegion(1, mm, 10, 2, VM_READ, ANONYMOUS, -1, 0);
      yield* mmapRegion(1, mm, 14, 2, VM_READ, ANONYMOUS, -1, 0);
    }
    settle(KTHREAD);
    const result = race({
      machine,
      memory,
      threads: { 0: lookup, 1: writer },
      kernelVcpu: KTHREAD,
      executions: 300,
    });
    expect(result.finding).toBeUndefined();
  });

  test('two writers of an address space lose nothing', () => {
    const { machine, mm } = scene();
    const result = race({
      machine,
      memory,
      threads: {
        0: () => mmapRegion(0, mm, 10, 2, VM_READ, ANONYMOUS, -1, 0),
        1: () => doMunmap(1, mm, 3, 1),
      },
      final: () => {
        const starts = vmasOf(mm).map((vma) => vma.start);
        const count = readLocal(Mm.mapCount.at(mm));
        return starts.join() === '2,4,10' && count === 3 ? null : `vmas: ${starts}, ${count}`;
      },
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });
});

/** The read lock of a VMA that was found before, and its end twice. */
function* lockedReader(mm: number, vma: number): Op<void> {
  yield* rcuReadLock(0);
  const locked = yield* vmaStartRead(mm, vma);
  yield* rcuReadUnlock(0);
  if (locked !== 1) return;
  const end = yield* read(Vma.vmEnd.at(vma));
  const again = yield* read(Vma.vmEnd.at(vma));
  if (end !== again) complain(`vma: its end ${end} became ${again} under its read lock`);
  yield* vmaEndRead(vma);
}

test('in every schedule the bounds stay as they are under the read lock', () => {
  const { machine, mm } = scene();
  const vma = runAlone(vmaLookup(mm, 2));
  function* writer(): Op<void> {
    yield* mmapWriteLock(mm);
    yield* vmaStartWrite(vma);
    yield* write(Vma.vmEnd.at(vma), 5);
    yield* mmapWriteUnlock(mm);
  }
  const result = exhaust(machine, [() => lockedReader(mm, vma), writer]);
  expect(result.finding).toBeUndefined();
  expect(result.verdict).toBe('safe');
});

function bounds(vma: number): number[] {
  return [Vma.vmStart, Vma.vmEnd, Vma.pgoff].map((field) => readLocal(field.at(vma)));
}

/** Cuts the VMA of four pages after its first. */
function cut(newBelow: number) {
  const { mm } = scene();
  const vma = runAlone(vmaLookup(mm, 2));
  runAlone(mmapWriteLock(mm));
  const copy = runAlone(splitVma(0, mm, vma, 3, newBelow));
  runAlone(mmapWriteUnlock(mm));
  expect(vmasOf(mm)).toHaveLength(2);
  return { old: bounds(vma), copy: bounds(copy) };
}

describe('a split', () => {
  test('with the new VMA below leaves the old object the upper part', () => {
    expect(cut(1)).toEqual({ old: [3, 6, 1], copy: [2, 3, 0] });
  });
  test('with the new VMA above leaves the old object the lower part', () => {
    expect(cut(0)).toEqual({ old: [2, 3, 0], copy: [3, 6, 1] });
  });
  test('beyond the limit of VMAs changes nothing', () => {
    const { mm } = scene({ vmaSlots: 2 });
    expect(runAlone(mprotect(0, mm, 3, 1, VM_READ))).toBeLessThan(0);
    expect(vmasOf(mm)).toEqual([{ start: 2, end: 6, flags: VM_READ | VM_WRITE }]);
  });
});
