/**
 * Goal: fork, copy-on-write, faults and the end of a process beside threads that store or look at
 * the address space: nobody reads what was not there, no store is lost, and it ends once.
 * Method: two or three vCPUs under PCT, SC and TSO; race.ts watches every page and assertion.
 */
import { describe, expect, test } from 'vitest';
import { cpuLoad } from '../../../src/hardware/access.ts';
import { frameWord, ptEntryWord, ptIndex, pteMfn } from '../../../src/hardware/paging.ts';
import { ptLevels } from '../../../src/hardware/params.ts';
import { tlbFlushLocal } from '../../../src/hardware/tlb.ts';
import { REG_VALUE, reg } from '../../../src/hardware/vcpu.ts';
import { Mm, NO_MM, mmapReadLock, mmapReadUnlock } from '../../../src/linux/mm/mm.ts';
import { mmput } from '../../../src/linux/mm/mm-life.ts';
import { mprotect } from '../../../src/linux/mm/mprotect.ts';
import { userLoad, userStore } from '../../../src/linux/mm/user-access.ts';
import { VM_READ, VM_WRITE } from '../../../src/linux/mm/vma.ts';
import { sysExit } from '../../../src/linux/process/exit.ts';
import { copyProcess } from '../../../src/linux/process/fork.ts';
import { contextSwitch } from '../../../src/linux/process/switch.ts';
import { Task, getTaskMm } from '../../../src/linux/process/task.ts';
import type { Op } from '../../../src/shared/op.ts';
import { read, readLocal, runAlone } from '../../../src/shared/operations.ts';
import { bootedMachine, freePages, mapAnonymous, settle } from '../mm/machine.ts';
import { complain, race } from '../mm/race.ts';
import { as, fork, load, mmOf, startProcess, store } from './scene.ts';

const V = 0;
const OTHER = 1;
const KTHREAD = 3;
const VPN = 2;
const sizes = { pagesPerDomain: 24, tablePages: 12, ptFrames: 40, mms: 6, tasks: 6, vmas: 24 };

/** A word of a page of a task's memory, from the page tables, without an operation. */
function contents(mm: number, vpn: number, offset: number): number {
  let table = readLocal(Mm.root.at(mm));
  for (let level = ptLevels(); level > 1; level--) {
    table = pteMfn(readLocal(ptEntryWord(table, ptIndex(vpn, level))));
  }
  return readLocal(frameWord(pteMfn(readLocal(ptEntryWord(table, ptIndex(vpn, 1)))), offset));
}

/** fork(2) before a race, in which the other vCPU is not there to answer the flush. */
function forkAlone(): number {
  const child = fork(V);
  runAlone(tlbFlushLocal(OTHER));
  return child;
}

/** A process with two threads, on vCPUs 0 and 1; the page at VPN holds 1, 1. */
function scene() {
  const machine = bootedMachine(sizes);
  const task = startProcess(V);
  const mm = mmOf(task);
  runAlone(contextSwitch(OTHER, task));
  mapAnonymous(V, mm, VPN, 2);
  for (const offset of [0, 1]) store(V, VPN, 1, offset);
  runAlone(userLoad(OTHER, mm, VPN, 0));
  return { machine, task, mm };
}

describe.each(['sc', 'tso'] as const)('under %s', (memory) => {
  test('the child’s memory is what it was when fork returned', () => {
    const { machine, mm } = scene();
    const seen = [0, 0, 0];
    function* forker(): Op<void> {
      seen[2] = yield* copyProcess(V, 0);
      const child = mmOf(seen[2]);
      for (const offset of [0, 1]) seen[offset] = contents(child, VPN, offset);
    }
    function* storer(): Op<void> {
      yield* userStore(OTHER, mm, VPN, 0, 2);
      yield* userStore(OTHER, mm, VPN, 1, 2);
    }
    const result = race({
      machine,
      memory,
      threads: { [V]: forker, [OTHER]: storer },
      final() {
        const child = mmOf(seen[2] as number);
        const now = [contents(child, VPN, 0), contents(child, VPN, 1)];
        if (now[0] === seen[0] && now[1] === seen[1]) return null;
        return `the child’s page: ${now.join()} after ${seen.slice(0, 2).join()}`;
      },
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });

  test('two stores to one shared page are both in the copy', () => {
    const { machine, mm } = scene();
    forkAlone();
    const result = race({
      machine,
      memory,
      threads: {
        [V]: () => userStore(V, mm, VPN, 0, 2),
        [OTHER]: () => userStore(OTHER, mm, VPN, 1, 3),
      },
      final() {
        const now = [contents(mm, VPN, 0), contents(mm, VPN, 1)].join();
        return now === '2,3' ? null : `the page: ${now}`;
      },
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });

  test('after a copy no thread reads the old page', () => {
    const { machine, mm } = scene();
    store(V, VPN + 1, 1);
    forkAlone();
    store(V, VPN + 1, 2);
    runAlone(userLoad(OTHER, mm, VPN, 0));
    function* storer(): Op<void> {
      yield* userStore(V, mm, VPN, 0, 9);
      yield* userStore(V, mm, VPN + 1, 0, 9);
    }
    function* loader(): Op<void> {
      if ((yield* cpuLoad(OTHER, VPN + 1, 0)) !== 0 || reg(OTHER, REG_VALUE) !== 9) return;
      if ((yield* cpuLoad(OTHER, VPN, 0)) === 0 && reg(OTHER, REG_VALUE) !== 9) complain('stale');
    }
    const result = race({
      machine,
      memory,
      threads: { [V]: storer, [OTHER]: loader },
      executions: 300,
    });
    expect(result.finding).toBeUndefined();
  });

  test('who looks at an address space that ends has it, or not at all', () => {
    const { machine, task } = scene();
    const child = fork(V);
    const pid = readLocal(Task.pid.at(child));
    runAlone(contextSwitch(OTHER, child));
    runAlone(contextSwitch(V, task));
    const before = freePages(0);
    function* looker(): Op<void> {
      const mm = yield* getTaskMm(V, pid);
      if (mm === NO_MM) return;
      yield* mmapReadLock(mm);
      if ((yield* read(Mm.mapCount.at(mm))) !== 1) complain('an address space that is gone');
      yield* mmapReadUnlock(mm);
      yield* mmput(V, mm);
    }
    const result = race({
      machine,
      memory,
      threads: { [V]: looker, [OTHER]: () => sysExit(OTHER, 0) },
      final() {
        settle(KTHREAD);
        return freePages(0) > before ? null : `${freePages(0)} pages are free, ${before} before`;
      },
      executions: 150,
    });
    expect(result.finding).toBeUndefined();
  });
});

test('mprotect makes no page writable that a child shares', () => {
  const { mm } = scene();
  const child = fork(V);
  expect(runAlone(mprotect(V, mm, VPN, 1, VM_READ))).toBe(0);
  expect(runAlone(mprotect(V, mm, VPN, 1, VM_READ | VM_WRITE))).toBe(0);
  expect(store(V, VPN, 5)).toBe(0);
  expect(as(V, child, () => load(V, VPN))).toBe(1);
});
