/**
 * Goal: no vCPU reaches a page through its TLB after the call that took the right away returned,
 * and no page is freed before that.
 * Method: a second vCPU has translations in its TLB; each call of the memory manager is followed by
 * a look at that TLB, alone and in races. race.ts reports accesses to free pages.
 */
import { describe, expect, test } from 'vitest';
import { PTE_RW, ptEntryWord, ptIndex } from '../../../src/hardware/paging.ts';
import { ptLevels } from '../../../src/hardware/params.ts';
import { physicalActor } from '../../../src/hardware/irq.ts';
import { check } from '../../../src/explore/check.ts';
import { madviseDontneed } from '../../../src/linux/mm/madvise.ts';
import { Mm } from '../../../src/linux/mm/mm.ts';
import { mmapRegion } from '../../../src/linux/mm/mmap.ts';
import { switchMm } from '../../../src/linux/mm/mm-life.ts';
import { mprotect } from '../../../src/linux/mm/mprotect.ts';
import { mremap } from '../../../src/linux/mm/mremap.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { userLoad, userStore } from '../../../src/linux/mm/user-access.ts';
import { VM_OPS_ANONYMOUS } from '../../../src/linux/mm/vm-ops.ts';
import { VM_MIXEDMAP, VM_READ, VM_WRITE } from '../../../src/linux/mm/vma.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, readLocal, runAlone } from '../../../src/shared/operations.ts';
import { bootedMachine, joinTask, mapAnonymous, newTask, setOnline } from './machine.ts';
import { complain, race, tlbHolds } from './race.ts';

const VPN = 2;
/** An address whose entry lies in the same page table, so that Xen flushes for no new table. */
const SAME_TABLE = 6;

/** vCPU 1 has VPN, which has a page, in its TLB with the right to write. */
function scene() {
  const machine = bootedMachine();
  const mm = newTask(0);
  joinTask(1, mm);
  mapAnonymous(0, mm, VPN, 2);
  runAlone(userStore(1, mm, VPN, 0, 7));
  expect(tlbHolds(1, VPN) & PTE_RW).toBe(PTE_RW);
  return { machine, mm };
}

/** A call by vCPU 0, while vCPU 1 answers shootdowns; afterwards vCPU 1's translation of VPN. */
function translationAfter(call: (mm: number) => Op): number {
  const { machine, mm } = scene();
  let left = -1;
  function* caller(): Op<void> {
    yield* call(mm);
    left = tlbHolds(1, VPN);
  }
  const result = race({ machine, threads: { 0: caller, 1: nothing }, executions: 1 });
  expect(result.finding).toBeUndefined();
  return left;
}

/** A thread that does next to nothing: its vCPU only answers interrupts. */
function* nothing(): Op<void> {
  yield* cpuRelax();
}

describe('after the call returned, no other vCPU translates the page as before', () => {
  test('munmap', () => {
    expect(translationAfter((mm) => doMunmap(0, mm, VPN, 1))).toBe(0);
  });
  test('MADV_DONTNEED', () => {
    expect(translationAfter((mm) => madviseDontneed(0, mm, VPN, 1))).toBe(0);
  });
  test('mremap', () => {
    expect(translationAfter((mm) => mremap(0, mm, VPN, 1, SAME_TABLE))).toBe(0);
  });
  test('mprotect', () => {
    expect(translationAfter((mm) => mprotect(0, mm, VPN, 1, VM_READ)) & PTE_RW).toBe(0);
  });
});

describe('in races', () => {
  test('no store lands in a page after it is freed', () => {
    const { machine, mm } = scene();
    const result = race({
      machine,
      threads: {
        0: () => madviseDontneed(0, mm, VPN, 1),
        1: () => userStore(1, mm, VPN, 1, 8),
      },
      executions: 400,
    });
    expect(result.finding).toBeUndefined();
  });

  test('a MADV_DONTNEED that finds its entries cleared still waits for the flush', () => {
    const { machine, mm } = scene();
    runAlone(switchMm(2, mm));
    runAlone(userLoad(2, mm, VPN, 0));
    function* second(): Op<void> {
      yield* madviseDontneed(1, mm, VPN, 1);
      if (tlbHolds(2, VPN) !== 0) complain('nested flush: vCPU 2 still translates the page');
    }
    const result = race({
      machine,
      threads: { 0: () => madviseDontneed(0, mm, VPN, 1), 1: second, 2: nothing },
      executions: 300,
    });
    expect(result.finding).toBeUndefined();
  });

  test('a vCPU that switches to the address space is flushed, or reads the new entries', () => {
    const machine = bootedMachine();
    const mm = newTask(0);
    mapAnonymous(0, mm, VPN, 1);
    runAlone(userStore(0, mm, VPN, 0, 7));
    function* unmapper(): Op<void> {
      yield* doMunmap(0, mm, VPN, 1);
      if (tlbHolds(1, VPN) !== 0) complain('switch: vCPU 1 translates a page that is unmapped');
    }
    function* switcher(): Op<void> {
      yield* switchMm(1, mm);
      yield* userLoad(1, mm, VPN, 0);
    }
    const result = race({ machine, threads: { 0: unmapper, 1: switcher }, executions: 400 });
    expect(result.finding).toBeUndefined();
  });
});

test('a VM_MIXEDMAP VMA is flushed before its page tables are unlinked', () => {
  const machine = bootedMachine();
  const mm = newTask(0);
  joinTask(1, mm);
  const flags = VM_READ | VM_WRITE | VM_MIXEDMAP;
  runAlone(mmapRegion(0, mm, VPN, 1, flags, VM_OPS_ANONYMOUS, -1, 0));
  runAlone(userStore(1, mm, VPN, 0, 7));
  const upper = ptEntryWord(readLocal(Mm.root.at(mm)), ptIndex(VPN, ptLevels()));
  let unlinked = 0;
  setOnline(3);
  const result = check({
    machine,
    actors: [
      { name: 'munmap', body: () => doMunmap(0, mm, VPN, 1) },
      { name: 'vCPU 1', daemon: true, body: () => physicalActor(1) },
    ],
    observer: {
      access(_actor, _kind, word, before, after) {
        if (word !== upper || before === after || after !== 0) return;
        unlinked += 1;
        expect(tlbHolds(1, VPN)).toBe(0);
      },
      trace() {},
      bug() {},
    },
    executions: 1,
  });
  expect(result.finding).toBeUndefined();
  expect(unlinked).toBe(1);
});
