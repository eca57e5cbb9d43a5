/**
 * Goal: a forked process has its parent's memory as it was, and neither sees what the other stores
 * later; every page comes back; no page is copied that is one process' alone.
 * Method: fork trees on one vCPU against a model of values (fast-check), single cases for flags of
 * VMAs and for pages that are pinned, and two threads of a parent beside the fork.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VcpuReg } from '../../../src/hardware/vcpu.ts';
import { FOLL_PIN, FOLL_WRITE, getUserPages, gupPut } from '../../../src/linux/mm/gup.ts';
import { getUserPagesFastOnly } from '../../../src/linux/mm/gup-fast.ts';
import { Page } from '../../../src/linux/mm/page.ts';
import { VM_DONTCOPY, Vma } from '../../../src/linux/mm/vma.ts';
import { vmaLookup } from '../../../src/linux/mm/vma-tree.ts';
import { sysExit } from '../../../src/linux/process/exit.ts';
import { copyProcess } from '../../../src/linux/process/fork.ts';
import { contextSwitch } from '../../../src/linux/process/switch.ts';
import { Task } from '../../../src/linux/process/task.ts';
import { sysWait4 } from '../../../src/linux/process/wait.ts';
import { readLocal, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import type { Op } from '../../../src/shared/op.ts';
import { userStore } from '../../../src/linux/mm/user-access.ts';
import { bootedMachine, freePages, joinTask, mapAnonymous, pageAt, settle } from '../mm/machine.ts';
import { race } from '../mm/race.ts';
import { as, fork, load, mmOf, startProcess, store } from './scene.ts';

const V = 0;
const KTHREAD = 3;
const VPN = 2;
const PAGES = 3;
const OUT = () => VcpuReg.value.at2(V, 20);
const sizes = {
  pagesPerDomain: 64,
  frames: 128,
  ptFrames: 64,
  kernelBase: 64,
  ptShift: 4,
  ptEntries: 16,
  tablePages: 40,
  tasks: 5,
  mms: 6,
  vmas: 40,
  vmaNodes: 64,
};

test('parent and children see what the model of their memories says', () => {
  bootedMachine(sizes);
  const step = fc.record({
    kind: fc.constantFrom('store' as const, 'store' as const, 'fork' as const, 'exit' as const),
    who: fc.nat({ max: 3 }),
    page: fc.nat({ max: PAGES - 1 }),
    value: fc.integer({ min: 1, max: 99 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
      const before = freePages(0);
      const root = startProcess(V);
      mapAnonymous(V, mmOf(root), VPN, PAGES);
      const memories = new Map([[root, [0, 0, 0]]]);
      for (const { kind, who, page, value } of steps) {
        const tasks = [...memories.keys()];
        const task = tasks[who % tasks.length] as number;
        const memory = memories.get(task) as number[];
        if (kind === 'store') {
          expect(as(V, task, () => store(V, VPN + page, value))).toBe(0);
          memory[page] = value;
        } else if (kind === 'fork' && memories.size < 4) {
          memories.set(
            as(V, task, () => fork(V)),
            [...memory],
          );
        } else if (kind === 'exit' && task !== root) {
          as(V, task, () => runAlone(sysExit(V, 0)));
          memories.delete(task);
        }
        for (const [other, expected] of memories) {
          const seen = as(V, other, () => expected.map((_, i) => load(V, VPN + i)));
          expect(seen).toEqual(expected);
        }
        settle(KTHREAD);
      }
      for (const task of memories.keys()) {
        runAlone(contextSwitch(V, task));
        runAlone(sysExit(V, 0));
      }
      settle(KTHREAD);
      expect(freePages(0)).toBe(before);
      for (let pg = 0; pg < Page.mapcount.count; pg++) {
        expect(readLocal(Page.mapcount.at(pg))).toBe(0);
      }
    }),
    { numRuns: 40, seed: 11 },
  );
});

describe('pages', () => {
  test('a store copies a shared page once, and the last user gets it back without a copy', () => {
    bootedMachine(sizes);
    const parent = startProcess(V);
    mapAnonymous(V, mmOf(parent), VPN, 1);
    store(V, VPN, 7);
    const page = pageAt(mmOf(parent), VPN);
    const child = fork(V);
    expect(pageAt(mmOf(child), VPN)).toBe(page);
    expect(readLocal(Page.mapcount.at(page))).toBe(2);
    store(V, VPN, 8);
    expect(pageAt(mmOf(parent), VPN)).not.toBe(page);
    expect(readLocal(Page.mapcount.at(page))).toBe(1);
    as(V, child, () => store(V, VPN, 9));
    expect(pageAt(mmOf(child), VPN)).toBe(page);
  });

  test('a page that is pinned stays the parent’s, and the child gets a copy at once', () => {
    bootedMachine(sizes);
    const parent = startProcess(V);
    mapAnonymous(V, mmOf(parent), VPN, 1);
    store(V, VPN, 7);
    const page = pageAt(mmOf(parent), VPN);
    expect(runAlone(getUserPages(V, mmOf(parent), VPN, 1, FOLL_PIN | FOLL_WRITE, OUT()))).toBe(1);
    const child = fork(V);
    expect(pageAt(mmOf(child), VPN)).not.toBe(page);
    store(V, VPN, 8);
    expect(pageAt(mmOf(parent), VPN)).toBe(page);
    expect(as(V, child, () => load(V, VPN))).toBe(7);
    runAlone(gupPut(V, page, FOLL_PIN));
  });

  test('a pin for reading makes a shared page one’s own first', () => {
    for (const gup of [getUserPages, getUserPagesFastOnly]) {
      bootedMachine(sizes);
      const parent = startProcess(V);
      mapAnonymous(V, mmOf(parent), VPN, 1);
      store(V, VPN, 7);
      const shared = pageAt(mmOf(parent), VPN);
      fork(V);
      const got = runAlone(gup(V, mmOf(parent), VPN, 1, FOLL_PIN, OUT()));
      expect(got).toBe(gup === getUserPages ? 1 : 0);
      if (got === 0) continue;
      const pinned = readLocal(OUT());
      expect(pinned).not.toBe(shared);
      store(V, VPN, 8);
      expect(pageAt(mmOf(parent), VPN)).toBe(pinned);
    }
  });

  test('VM_DONTCOPY keeps a VMA from the child', () => {
    bootedMachine(sizes);
    const parent = startProcess(V);
    mapAnonymous(V, mmOf(parent), VPN, 1);
    mapAnonymous(V, mmOf(parent), VPN + 2, 1);
    const vma = runAlone(vmaLookup(mmOf(parent), VPN));
    writeLocal(Vma.flags.at(vma), readLocal(Vma.flags.at(vma)) | VM_DONTCOPY);
    const child = fork(V);
    expect(as(V, child, () => load(V, VPN))).toBe('11/1');
    expect(as(V, child, () => load(V, VPN + 2))).toBe(0);
  });

  test('without memory a fork fails and changes nothing', () => {
    bootedMachine({ ...sizes, mms: 1 });
    const parent = startProcess(V);
    mapAnonymous(V, mmOf(parent), VPN, 1);
    store(V, VPN, 7);
    const before = freePages(0);
    expect(runAlone(copyProcess(V, 0))).toBe(-12);
    expect(freePages(0)).toBe(before);
    expect(store(V, VPN, 8)).toBe(0);
    expect(runAlone(sysWait4(V, -1, 0))).toBe(-10);
  });
});

/** Forks, and the child's first look at the page. */
function* forker(child: number[]): Op<void> {
  child[0] = yield* copyProcess(V, 0);
}

describe.each(['sc', 'tso'] as const)('under %s', (memory) => {
  test('what a thread of the parent stores after the fork the child does not see', () => {
    const machine = bootedMachine(sizes);
    const parent = startProcess(V);
    const mm = mmOf(parent);
    joinTask(1, mm);
    mapAnonymous(V, mm, VPN, 1);
    store(V, VPN, 7);
    runAlone(userStore(1, mm, VPN, 0, 7));
    const child = [-1];
    function* storer(): Op<void> {
      yield* userStore(1, mm, VPN, 0, 8);
      yield* userStore(1, mm, VPN, 1, 8);
    }
    const result = race({
      machine,
      memory,
      threads: { 0: () => forker(child), 1: storer },
      final: () => {
        const mms = readLocal(Task.mm.at(child[0] as number));
        const own = pageAt(mms, VPN);
        const theirs = pageAt(mm, VPN);
        if (own < 0) return 'the child has no page';
        // One page for both is read-only in both: nobody stored after the fork.
        return own === theirs && readLocal(Page.mapcount.at(own)) !== 2 ? 'mapcount' : null;
      },
      executions: 150,
    });
    expect(result.finding).toBeUndefined();
  });
});
