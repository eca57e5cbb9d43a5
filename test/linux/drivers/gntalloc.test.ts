/**
 * Goal: pages that user space grants live until file, mapping and grantee have let go, and are
 * freed once.
 * Method: the calls alone in the orders that matter; two threads that unmap and deallocate under
 * the explorer.
 */
import { describe, expect, test } from 'vitest';
import { PTE_PRESENT, pteMfn, walkToPte } from '../../../src/hardware/paging.ts';
import { Gnttab } from '../../../src/linux/drivers/free-refs.ts';
import {
  GNTALLOC_LIMIT,
  gntallocAllocGref,
  gntallocDeallocGref,
  gntallocOpen,
  gntallocPutFile,
  gntallocSetUnmapNotify,
} from '../../../src/linux/drivers/gntalloc/ioctl.ts';
import { Gntalloc, GntallocFile, GntallocGref } from '../../../src/linux/drivers/gntalloc/gref.ts';
import { EINVAL, ENOENT, ENOMEM, ENOSPC } from '../../../src/linux/errno.ts';
import { mmapRegion } from '../../../src/linux/mm/mmap.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { rootOf } from '../../../src/linux/mm/pgtable.ts';
import { P2m } from '../../../src/linux/mm/p2m.ts';
import { Zone } from '../../../src/linux/mm/page-alloc.ts';
import { VM_OPS_GNTALLOC } from '../../../src/linux/mm/vm-ops.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../../src/linux/mm/vma.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import {
  GRANTER,
  MAPPER,
  OTHER_TASK,
  TASK,
  bootGuests,
  explore,
  must,
  now,
  result,
  userSpace,
} from './guests.ts';
import { UNMAP_NOTIFY_CLEAR_BYTE } from '../../../src/linux/uapi/gntdev.ts';

const VPN = 8;

/** The mapper domain plays the granter here: it has the user space. */
function mapped(count: number): { file: number; mm: number; index: number } {
  const mm = userSpace(TASK, OTHER_TASK);
  const file = must(runAlone(gntallocOpen()));
  const index = must(runAlone(gntallocAllocGref(TASK, file, GRANTER, 0, count, result(0))));
  const flags = VM_READ | VM_WRITE | VM_SHARED;
  must(runAlone(mmapRegion(TASK, mm, VPN, count, flags, VM_OPS_GNTALLOC, file, index)));
  return { file, mm, index };
}

describe('gntalloc', () => {
  test('maps the granted pages themselves', () => {
    bootGuests();
    const { mm } = mapped(2);
    for (let i = 0; i < 2; i++) {
      const pte = now(runAlone(walkToPte(TASK, rootOf(mm), VPN + i)));
      expect(pte & PTE_PRESENT).toBe(PTE_PRESENT);
      expect(pteMfn(pte)).toBe(now(P2m.value.at(now(GntallocGref.page.at(i)))));
      expect(now(result(i))).toBe(now(GntallocGref.ref.at(i)));
    }
  });

  test('frees page and grant when file and mapping are gone, in either order', () => {
    for (const unmapFirst of [true, false]) {
      bootGuests();
      const { mm, file, index } = mapped(2);
      const free = now(Zone.free.at(MAPPER));
      const refs = now(Gnttab.freeCount.at(MAPPER));
      if (unmapFirst) must(runAlone(doMunmap(TASK, mm, VPN, 2)));
      expect(runAlone(gntallocDeallocGref(TASK, file, index, 2))).toBe(0);
      expect(runAlone(gntallocDeallocGref(TASK, file, index, 2))).toBe(-EINVAL);
      if (!unmapFirst) {
        expect(now(Gnttab.freeCount.at(MAPPER))).toBe(refs);
        must(runAlone(doMunmap(TASK, mm, VPN, 2)));
      }
      expect(now(Gnttab.freeCount.at(MAPPER))).toBe(refs + 2);
      expect(now(Zone.free.at(MAPPER))).toBe(free + 2);
    }
  });

  test('a partly unmapped mapping keeps all its pages', () => {
    bootGuests({ vmas: 32 });
    const { mm, file } = mapped(2);
    const refs = now(Gnttab.freeCount.at(MAPPER));
    runAlone(gntallocPutFile(TASK, file));
    expect(now(GntallocFile.users.at(file))).toBe(1);
    must(runAlone(doMunmap(TASK, mm, VPN, 1)));
    expect(now(Gnttab.freeCount.at(MAPPER))).toBe(refs);
    must(runAlone(doMunmap(TASK, mm, VPN + 1, 1)));
    expect(now(GntallocFile.users.at(file))).toBe(0);
    expect(now(Gnttab.freeCount.at(MAPPER))).toBe(refs + 2);
  });

  test('gives a domain as many grefs as its limit and no more', () => {
    bootGuests();
    const file = must(runAlone(gntallocOpen()));
    const size = Gntalloc.grefSize.at(MAPPER);
    writeLocal(size, GNTALLOC_LIMIT - 1);
    const alloc = (count: number): number =>
      runAlone(gntallocAllocGref(TASK, file, GRANTER, 0, count, result(0)));
    expect(alloc(2)).toBe(-ENOSPC);
    expect(alloc(-1)).toBe(-ENOSPC);
    expect(now(size)).toBe(GNTALLOC_LIMIT - 1);
    expect(alloc(1)).toBe(0);
    expect(now(size)).toBe(GNTALLOC_LIMIT);
    expect(alloc(1)).toBe(-ENOSPC);
  });

  test('a call that cannot have all its grefs has none', () => {
    bootGuests();
    const file = must(runAlone(gntallocOpen()));
    const free = now(Zone.free.at(MAPPER));
    const all = GntallocGref.users.count;
    const alloc = (count: number): number =>
      runAlone(gntallocAllocGref(TASK, file, GRANTER, 0, count, result(0)));
    for (let tries = 0; tries < 3; tries++) {
      expect(alloc(all + 2)).toBe(-ENOMEM);
      expect(now(Gntalloc.grefSize.at(MAPPER))).toBe(0);
      expect(now(Zone.free.at(MAPPER))).toBe(free);
    }
    expect(alloc(free)).toBeGreaterThan(0);
  });

  test('refuses notifications that it does not know', () => {
    bootGuests();
    const { file, index } = mapped(1);
    const notify = (at: number, action: number): number =>
      runAlone(gntallocSetUnmapNotify(TASK, file, at, 0, action, 0));
    expect(notify(index, UNMAP_NOTIFY_CLEAR_BYTE)).toBe(0);
    expect(notify(index + 5, UNMAP_NOTIFY_CLEAR_BYTE)).toBe(-ENOENT);
    expect(notify(index, 4)).toBe(-EINVAL);
  });

  test.each(['sc', 'tso'] as const)('two threads let go at once under %s', (memory) => {
    const machine = bootGuests();
    const { mm, file, index } = mapped(1);
    const refs = now(Gnttab.freeCount.at(MAPPER));
    const found = explore(
      machine,
      [
        { name: 'munmap', v: TASK, body: () => doMunmap(TASK, mm, VPN, 1) },
        {
          name: 'free',
          v: OTHER_TASK,
          body: () => gntallocDeallocGref(OTHER_TASK, file, index, 1),
        },
      ],
      {
        memory,
        strategy: 'pct',
        executions: 150,
        final: () => (now(Gnttab.freeCount.at(MAPPER)) === refs + 1 ? null : 'leak: grant'),
      },
    );
    expect(found.finding).toBeUndefined();
  });
});
