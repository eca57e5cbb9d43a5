/**
 * Goal: faults and the allocator give each page to one user and lose none, also in interrupts.
 * Method: two vCPUs fault on one address, or allocate and free, under PCT and TSO; at the end the
 * free pages and the counts are compared with what was mapped.
 */
import { describe, expect, test } from 'vitest';
import { UPCALL_MASK, UPCALL_PENDING, Vcpu } from '../../../src/hardware/vcpu.ts';
import { Mm } from '../../../src/linux/mm/mm.ts';
import { FreePage, Zone, allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { NO_PAGE, putPage } from '../../../src/linux/mm/page.ts';
import { userStore } from '../../../src/linux/mm/user-access.ts';
import { madviseDontneed } from '../../../src/linux/mm/madvise.ts';
import type { Op } from '../../../src/shared/op.ts';
import {
  awaitEqual,
  fetchAnd,
  fetchOr,
  readLocal,
  runAlone,
} from '../../../src/shared/operations.ts';
import { bootedMachine, freePages, joinTask, mapAnonymous, newTask } from './machine.ts';
import { race } from './race.ts';

const VPN = 2;

/** The length of the free list, or -1 if it does not agree with the count. */
function freeList(): number {
  let length = 0;
  let pg = readLocal(Zone.head.at(0));
  while (pg !== NO_PAGE && length <= FreePage.next.count) {
    length++;
    pg = readLocal(FreePage.next.at(pg));
  }
  return length === readLocal(Zone.free.at(0)) ? length : -1;
}

/** Allocates a page and gives it back. */
function* user(v: number): Op<void> {
  yield* putPage(v, yield* allocPage(v));
}

describe.each(['sc', 'tso'] as const)('under %s', (memory) => {
  test('two faults on one address map one page', () => {
    const machine = bootedMachine();
    const mm = newTask(0);
    joinTask(1, mm);
    mapAnonymous(0, mm, VPN, 2);
    runAlone(userStore(0, mm, VPN + 1, 0, 1));
    const before = freePages(0);
    const result = race({
      machine,
      memory,
      threads: {
        0: () => userStore(0, mm, VPN, 0, 1),
        1: () => userStore(1, mm, VPN, 1, 2),
      },
      final: () => {
        const [free, rss] = [freePages(0), readLocal(Mm.rss.at(mm))];
        return free === before - 1 && rss === 2
          ? null
          : `pages: ${before - free} taken, rss ${rss}`;
      },
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });

  test('two faults on one missing page table add one table', () => {
    const machine = bootedMachine();
    const mm = newTask(0);
    joinTask(1, mm);
    mapAnonymous(0, mm, VPN, 2);
    const before = readLocal(Zone.tableFree.at(0));
    const result = race({
      machine,
      memory,
      threads: {
        0: () => userStore(0, mm, VPN, 0, 1),
        1: () => userStore(1, mm, VPN + 1, 0, 2),
      },
      final: () => {
        const taken = before - readLocal(Zone.tableFree.at(0));
        return taken === 1 ? null : `tables: ${taken} taken`;
      },
      executions: 120,
    });
    expect(result.finding).toBeUndefined();
  });

  test('the free list survives two users', () => {
    const machine = bootedMachine();
    const before = freeList();
    const result = race({
      machine,
      memory,
      threads: { 0: () => user(0), 1: () => user(1) },
      final: () => (freeList() === before ? null : `free list: ${freeList()}, not ${before}`),
      executions: 300,
    });
    expect(result.finding).toBeUndefined();
  });
});

test('a page can be put in an interrupt of an allocation', () => {
  const machine = bootedMachine();
  const pg = runAlone(allocPage(0));
  const word = Vcpu.upcall.at(0);
  function* handler(v: number): Op<void> {
    if (v !== 0) return;
    yield* awaitEqual(word, UPCALL_PENDING | UPCALL_MASK, UPCALL_PENDING);
    yield* fetchAnd(word, ~UPCALL_PENDING);
    yield* putPage(0, pg);
  }
  const result = race({
    machine,
    threads: { 0: () => allocPage(0), 1: () => fetchOr(word, UPCALL_PENDING) },
    upcalls: handler,
    executions: 300,
  });
  expect(result.finding).toBeUndefined();
});

test('MADV_DONTNEED of more pages than the batch holds puts each page once', () => {
  bootedMachine({ gatherPages: 1 });
  const mm = newTask(0);
  mapAnonymous(0, mm, VPN, 3);
  const before = freePages(0) - 1;
  for (let i = 0; i < 3; i++) runAlone(userStore(0, mm, VPN + i, 0, 1));
  runAlone(madviseDontneed(0, mm, VPN, 3));
  expect(freePages(0)).toBe(before);
});
