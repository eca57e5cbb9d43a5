/**
 * Goal: get_user_pages, fast and slow, returns the page that is mapped at the address, with a
 * reference that keeps it, whatever other threads do to the address; and nobody walks or reaches
 * what is free.
 * Method: threads of one address space under PCT and random walks, in small scenes in which the
 * page that is unmapped is at once used again. race.ts watches every page. Single calls check what
 * the fast path must refuse.
 */
import { describe, expect, test } from 'vitest';
import {
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_SPECIAL,
  PTE_USER,
  makePte,
  pteMfn,
  walkToPte,
} from '../../../src/hardware/paging.ts';
import { VcpuReg } from '../../../src/hardware/vcpu.ts';
import { Params } from '../../../src/hardware/params.ts';
import { getUserPagesFast, getUserPagesFastOnly } from '../../../src/linux/mm/gup-fast.ts';
import { FOLL_PIN, FOLL_WRITE, getUserPages, gupPut } from '../../../src/linux/mm/gup.ts';
import { madviseDontneed } from '../../../src/linux/mm/madvise.ts';
import { Mm } from '../../../src/linux/mm/mm.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { FOREIGN_FRAME_BIT, P2m } from '../../../src/linux/mm/p2m.ts';
import { allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { Page, pfnOf } from '../../../src/linux/mm/page.ts';
import { rootOf } from '../../../src/linux/mm/pgtable.ts';
import { userStore } from '../../../src/linux/mm/user-access.ts';
import { TRACE_GUP_PUT } from '../../../src/linux/tracepoints.ts';
import { mem } from '../../../src/shared/memory.ts';
import type { Op } from '../../../src/shared/op.ts';
import {
  cpuRelax,
  readLocal,
  runAlone,
  trace,
  writeLocal,
} from '../../../src/shared/operations.ts';
import { writeSeqBegin, writeSeqEnd } from '../../../src/shared/seqcount.ts';
import { bootedMachine, joinTask, mapAnonymous, newTask, pageAt } from './machine.ts';
import { complain, race } from './race.ts';

const KTHREAD = 3;
const VPN = 2;
/** Another page table than VPN's. */
const ELSEWHERE = 17;
/** Words of VcpuReg for results, per vCPU. */
const OUT_REGISTER = 20;
const outOf = (v: number) => VcpuReg.value.at2(v, OUT_REGISTER);

type Gup = (v: number, mm: number, vpn: number, n: number, flags: number, out: number) => Op;

/** Takes the pages, holds them for a moment and gives them back. */
function* holder(
  gup: Gup,
  v: number,
  mm: number,
  count: number,
  flags: number,
  vpn = VPN,
): Op<void> {
  const out = outOf(v);
  const got = yield* gup(v, mm, vpn, count, flags, out);
  yield* cpuRelax();
  for (let i = 0; i < got; i++) {
    const pg = readLocal(out + i);
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* gupPut(v, pg, flags);
  }
}

/** Unmaps the address and lets somebody else have the freed page. */
function* reuser(v: number, mm: number): Op<void> {
  yield* madviseDontneed(v, mm, VPN, 1);
  yield* allocPage(v);
}

/** Two threads of a task; VPN is mapped and has a page, ELSEWHERE is mapped and has none. */
function scene(sizes: Record<string, number> = {}) {
  const machine = bootedMachine(sizes);
  const mm = newTask(0);
  joinTask(1, mm);
  mapAnonymous(0, mm, VPN, 2);
  mapAnonymous(0, mm, ELSEWHERE, 1);
  runAlone(userStore(0, mm, ELSEWHERE, 0, 1));
  runAlone(madviseDontneed(0, mm, ELSEWHERE, 1));
  runAlone(userStore(0, mm, VPN, 0, 1));
  return { machine, mm };
}

/** At rest every page has as many references as mappings. */
function balanced(): string | null {
  for (let pg = 0; pg < Page.refcount.count; pg++) {
    const [refs, maps] = [readLocal(Page.refcount.at(pg)), readLocal(Page.mapcount.at(pg))];
    if (maps > 0 && refs !== maps) return `counts: page ${pg} has ${refs} for ${maps} mappings`;
  }
  return null;
}

describe.each(['sc', 'tso'] as const)('under %s', (memory) => {
  test('GUP-fast never gives a page that was unmapped and freed', () => {
    for (const flushHypercall of [0, 1]) {
      const { machine, mm } = scene();
      writeLocal(Params.flushHypercall.word, flushHypercall);
      const result = race({
        machine,
        memory,
        threads: {
          0: () => holder(getUserPagesFastOnly, 0, mm, 1, FOLL_WRITE),
          1: () => reuser(1, mm),
        },
        final: balanced,
        executions: 400,
      });
      expect(result.finding).toBeUndefined();
    }
  });

  test('a walk never meets a page table that was freed after a grace period', () => {
    const { machine, mm } = scene();
    const result = race({
      machine,
      memory,
      threads: {
        0: () => holder(getUserPagesFastOnly, 0, mm, 2, FOLL_PIN),
        1: () => doMunmap(1, mm, 0, 8),
      },
      kernelVcpu: KTHREAD,
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });

  test('interrupts off hold up the freeing of a table without room in the batch', () => {
    const { machine, mm } = scene({ gatherTables: 1 });
    runAlone(userStore(0, mm, ELSEWHERE, 0, 1));
    const result = race({
      machine,
      memory,
      threads: {
        0: () => holder(getUserPagesFastOnly, 0, mm, 1, 0, ELSEWHERE),
        1: () => doMunmap(1, mm, 0, 24),
      },
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });

  test('slow GUP beside MADV_DONTNEED gives the mapped page or faults one in', () => {
    const { machine, mm } = scene();
    const result = race({
      machine,
      memory,
      threads: {
        0: () => holder(getUserPages, 0, mm, 1, FOLL_WRITE),
        1: () => madviseDontneed(1, mm, VPN, 2),
      },
      final: balanced,
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });

  test('slow GUP beside munmap gives the mapped page or an error', () => {
    const { machine, mm } = scene();
    const result = race({
      machine,
      memory,
      threads: {
        0: () => holder(getUserPages, 0, mm, 2, 0),
        1: () => doMunmap(1, mm, 0, 8),
      },
      kernelVcpu: KTHREAD,
      final: balanced,
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });

  test('a pin never succeeds while fork write-protects', () => {
    const { machine, mm } = scene();
    const sequence = Mm.writeProtectSeq.at(mm);
    function* pinner(): Op<void> {
      const got = yield* getUserPagesFastOnly(0, mm, VPN, 1, FOLL_PIN, outOf(0));
      if (got > 0 && ((mem[sequence] as number) & 1) !== 0) complain('pin: taken beside fork');
    }
    function* fork(): Op<void> {
      yield* writeSeqBegin(sequence);
      yield* cpuRelax();
      yield* writeSeqEnd(sequence);
    }
    const result = race({ machine, memory, threads: { 0: pinner, 1: fork }, executions: 200 });
    expect(result.finding).toBeUndefined();
  });
});

const gup = (mm: number, flags: number) =>
  runAlone(getUserPagesFastOnly(0, mm, VPN, 1, flags, outOf(0)));

/** Changes the entry behind Xen's back. */
function patch(mm: number, change: (pte: number) => number): void {
  const ptep = runAlone(walkToPte(0, readLocal(Mm.root.at(mm)), VPN));
  writeLocal(ptep, change(readLocal(ptep)));
}

describe('GUP-fast refuses', () => {
  test('nothing that is plainly mapped', () => {
    const { mm } = scene();
    expect(gup(mm, FOLL_WRITE)).toBe(1);
    expect(readLocal(outOf(0))).toBe(pageAt(mm, VPN));
  });

  test('a special entry, even of a local frame', () => {
    const { mm } = scene();
    patch(mm, (pte) => pte | PTE_SPECIAL);
    expect(gup(mm, 0)).toBe(0);
  });

  test('an entry of PROT_NONE', () => {
    const { mm } = scene();
    patch(mm, (pte) => (pte & ~PTE_PRESENT) | PTE_PROTNONE);
    expect(gup(mm, 0)).toBe(0);
  });

  test('a write to a read-only entry', () => {
    const { mm } = scene();
    patch(mm, (pte) => makePte(pteMfn(pte), PTE_PRESENT | PTE_USER));
    expect(gup(mm, FOLL_WRITE)).toBe(0);
    expect(gup(mm, 0)).toBe(1);
  });

  test('a frame that P2M calls foreign, although M2P names a local page', () => {
    const { mm } = scene();
    const pfn = pfnOf(pageAt(mm, VPN));
    const word = P2m.value.at2(0, pfn);
    writeLocal(word, readLocal(word) | FOREIGN_FRAME_BIT);
    expect(gup(mm, 0)).toBe(0);
  });

  test('a frame of another domain, whose number in M2P is a local page too', () => {
    bootedMachine({ domains: 2, vcpusPerDomain: 2 });
    const mm = newTask(0);
    mapAnonymous(0, mm, VPN, 1);
    runAlone(userStore(0, mm, VPN, 0, 1));
    patch(mm, () => makePte(readLocal(P2m.value.at2(1, 12)), PTE_PRESENT | PTE_USER));
    expect(gup(mm, 0)).toBe(0);
  });

  test('what is missing, and the slow path brings it', () => {
    const { mm } = scene();
    expect(runAlone(getUserPagesFastOnly(0, mm, VPN + 1, 1, 0, outOf(0)))).toBe(0);
    expect(runAlone(getUserPagesFast(0, mm, VPN, 2, 0, outOf(0)))).toBe(2);
    expect(readLocal(outOf(0) + 1)).toBe(pageAt(mm, VPN + 1));
  });
});

describe('GUP-fast of a range', () => {
  const COUNT = 6;

  /** Maps and fills COUNT addresses from `vpn` on. */
  function filled(vpn: number): number {
    const mm = newTask(0);
    mapAnonymous(0, mm, vpn, COUNT);
    // From the end on: the table of the first address must not lie before that of the last.
    for (let i = COUNT; i-- > 0;) runAlone(userStore(0, mm, vpn + i, 0, 1));
    return mm;
  }
  const fast = (mm: number, vpn: number): number[] => {
    const got = runAlone(getUserPagesFastOnly(0, mm, vpn, COUNT, FOLL_WRITE, outOf(0)));
    return Array.from({ length: got }, (_, i) => readLocal(outOf(0) + i));
  };

  test('goes on in the next page table', () => {
    bootedMachine();
    const vpn = readLocal(Params.ptEntries.word) - 2;
    const mm = filled(vpn);
    const pages = Array.from({ length: COUNT }, (_, i) => pageAt(mm, vpn + i));
    // Behind the table lies what looks like an entry of it.
    const pteOf = (at: number): number => runAlone(walkToPte(0, rootOf(mm), at));
    expect(pteOf(vpn + 2)).not.toBe(pteOf(vpn + 1) + 1);
    writeLocal(pteOf(vpn + 1) + 1, readLocal(pteOf(vpn)));
    expect(Math.min(...pages)).toBeGreaterThanOrEqual(0);
    expect(fast(mm, vpn)).toEqual(pages);
  });

  test.each([0, 3, 5])('ends before entry %i if that gives no page', (missing) => {
    bootedMachine();
    const mm = filled(VPN);
    runAlone(madviseDontneed(0, mm, VPN + missing, 1));
    expect(fast(mm, VPN)).toHaveLength(missing);
  });
});
