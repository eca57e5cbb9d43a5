/**
 * Goal: page-table entries and references of pages agree; a page is never a page table and
 * writable at once, in tables or TLBs; updates of one table are serialised.
 * Method: random updates against a count of the entries that name each page; races under the
 * explorer with store buffers and filled TLBs.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { cpuStore } from '../../src/hardware/access.ts';
import {
  PTE_GNTTAB,
  PTE_PRESENT,
  PTE_RW,
  PTE_USER,
  makePte,
  ptEntryWord,
  pteMfn,
} from '../../src/hardware/paging.ts';
import { Vcpu } from '../../src/hardware/vcpu.ts';
import { FETCH_ADD, SMP_WMB, WRITE_ONCE } from '../../src/shared/kinds.ts';
import { runAlone } from '../../src/shared/operations.ts';
import { populatePhysmap } from '../../src/xen/memory.ts';
import {
  mmuUpdate,
  mmuextFlush,
  mmuextInvlpgLocal,
  mmuextNewBaseptr,
  mmuextPinTable,
  mmuextUnpinTable,
  ptMfnOfWord,
  updateVaMapping,
} from '../../src/xen/mmu.ts';
import { ZONE_PAGE_TABLE } from '../../src/xen/page-alloc.ts';
import {
  PGT_l1_page_table,
  PGT_type_mask,
  PGT_writable_page,
  PageInfo,
} from '../../src/xen/page-info.ts';
import { getPageType, putPageType } from '../../src/xen/page-type.ts';
import {
  GRANTER,
  MAPPER,
  bootMachine,
  dataFrame,
  explore,
  inOrder,
  isCached,
  leafEntry,
  now,
  pageCount,
  recordOps,
  typeCount,
} from './machine.ts';
import type { XenMachine } from './machine.ts';

let m: XenMachine;
beforeEach(() => {
  m = bootMachine();
});

const rw = PTE_PRESENT | PTE_RW;
const tablePage = (d: number, v: number): number =>
  runAlone(populatePhysmap(v, d, 7, ZONE_PAGE_TABLE));

/** References that the leaf entries of a domain hold of a page. */
function entriesOf(d: number, mfn: number, flags: number): number {
  let count = 0;
  for (let vpn = 0; vpn < 8; vpn++) {
    const pte = now(leafEntry(m, d, vpn));
    if ((pte & flags) === flags && pteMfn(pte) === mfn) count++;
  }
  return count;
}

describe('updates, one at a time', () => {
  test('a random history of entries agrees with the counts of the pages they name', () => {
    const step = fc.record({
      vpn: fc.nat(7),
      page: fc.nat(2),
      flags: fc.constantFrom(0, PTE_PRESENT, rw, rw | PTE_USER),
      byVa: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        m = bootMachine();
        const pages = [0, 1, 2].map(() => dataFrame(MAPPER));
        for (const { vpn, page, flags, byVa } of steps) {
          const pte = makePte(pages[page] as number, flags);
          const status = byVa
            ? runAlone(updateVaMapping(2, vpn, pte))
            : runAlone(mmuUpdate(2, leafEntry(m, MAPPER, vpn), pte));
          expect(status).toBe(0);
          expect(now(leafEntry(m, MAPPER, vpn))).toBe(pte);
          for (const mfn of pages) {
            expect(pageCount(mfn)).toBe(1 + entriesOf(MAPPER, mfn, PTE_PRESENT));
            expect(typeCount(mfn)).toBe(entriesOf(MAPPER, mfn, rw));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('what a guest may not map is refused and leaves the entry alone', () => {
    const foreign = dataFrame(GRANTER);
    const leaf = m.leaves[MAPPER] as number;
    const ptep = leafEntry(m, MAPPER, 3);
    const refused = [
      makePte(foreign, PTE_PRESENT),
      makePte(leaf, rw),
      makePte(60, PTE_PRESENT),
      makePte(1000, PTE_PRESENT),
      makePte(dataFrame(MAPPER), rw | PTE_GNTTAB),
    ];
    for (const pte of refused) expect(runAlone(mmuUpdate(2, ptep, pte))).toBeLessThan(0);
    expect(now(ptep)).toBe(0);
    expect([pageCount(foreign), typeCount(leaf)]).toEqual([1, 2]);
    expect(runAlone(mmuUpdate(0, ptep, 0))).toBeLessThan(0);
    expect(runAlone(mmuUpdate(2, 3, 0))).toBeLessThan(0);
    expect(runAlone(updateVaMapping(2, 20, 0))).toBeLessThan(0);
    expect(ptMfnOfWord(ptep)).toBe(leaf);
  });

  test('a read-only entry of a page table is allowed', () => {
    const leaf = m.leaves[MAPPER] as number;
    const before = pageCount(leaf);
    expect(runAlone(mmuUpdate(2, leafEntry(m, MAPPER, 3), makePte(leaf, PTE_PRESENT)))).toBe(0);
    expect(pageCount(leaf)).toBe(before + 1);
  });

  test('pinning checks the contents, unpinning drops what they referred to', () => {
    const table = tablePage(MAPPER, 2);
    const mfn = dataFrame(MAPPER);
    runAlone(mmuUpdate(2, ptEntryWord(table, 2), makePte(mfn, rw)));
    expect(pageCount(mfn)).toBe(1);
    expect(runAlone(mmuextPinTable(2, table, 1))).toBe(0);
    expect([pageCount(mfn), typeCount(mfn)]).toEqual([2, 1]);
    expect(runAlone(mmuextPinTable(2, table, 1))).toBeLessThan(0);
    expect(runAlone(mmuextPinTable(2, table, 2))).toBeLessThan(0);
    expect(runAlone(mmuextUnpinTable(2, table))).toBe(0);
    expect(runAlone(mmuextUnpinTable(2, table))).toBeLessThan(0);
    expect([pageCount(mfn), typeCount(mfn), typeCount(table)]).toEqual([1, 0, 0]);
    runAlone(mmuUpdate(2, ptEntryWord(table, 5), makePte(dataFrame(GRANTER), rw)));
    expect(runAlone(mmuextPinTable(2, table, 1))).toBeLessThan(0);
    expect([pageCount(mfn), typeCount(table)]).toEqual([1, 0]);
  });

  test('other page tables are loaded with a reference, and the TLB is flushed', () => {
    const root = tablePage(MAPPER, 2);
    const old = m.roots[MAPPER] as number;
    const counts = [typeCount(old), typeCount(root)];
    const sequence = now(Vcpu.tlbSequence.at(2));
    expect(runAlone(mmuextNewBaseptr(2, root))).toBe(0);
    expect(now(Vcpu.cr3.at(2))).toBe(root);
    expect([typeCount(old), typeCount(root)]).toEqual([(counts[0] as number) - 1, 1]);
    expect(now(Vcpu.tlbSequence.at(2))).toBeGreaterThan(sequence);
    expect(runAlone(mmuextNewBaseptr(2, dataFrame(MAPPER)))).toBeLessThan(0);
  });

  test('an update of a higher level flushes, one of a leaf does not', () => {
    const leaf = tablePage(MAPPER, 2);
    const flush = [FETCH_ADD, Vcpu.tlbSequence.at(2)];
    const upper = ptEntryWord(m.roots[MAPPER] as number, 1);
    expect(inOrder(recordOps(mmuUpdate(2, upper, makePte(leaf, rw))), [flush])).toBe(true);
    const lower = leafEntry(m, MAPPER, 1);
    expect(inOrder(recordOps(mmuUpdate(2, lower, 0)), [flush])).toBe(false);
    expect(inOrder(recordOps(mmuextFlush(2, -1)), [flush])).toBe(true);
    expect(inOrder(recordOps(mmuextInvlpgLocal(2, 1)), [flush])).toBe(true);
  });

  test('the last type reference of a page table goes after its entries and a barrier', () => {
    const table = tablePage(MAPPER, 2);
    runAlone(mmuextPinTable(2, table, 1));
    const log = recordOps(mmuextUnpinTable(2, table));
    const word = PageInfo.typeInfo.at(table);
    expect(inOrder(log, [[SMP_WMB], [WRITE_ONCE, word]])).toBe(true);
  });
});

describe.each(['sc', 'tso'] as const)('page types under %s', (memory) => {
  test('a page that becomes a page table is in no TLB for writing', () => {
    m = bootMachine({}, [2, 3]);
    const table = tablePage(MAPPER, 2);
    const ptep = leafEntry(m, MAPPER, 5);
    runAlone(mmuUpdate(2, ptep, makePte(table, rw)));
    runAlone(cpuStore(3, 5, 7, 0));
    const result = explore(
      m,
      [
        {
          name: 'kernel',
          v: 2,
          body: function* () {
            yield* mmuUpdate(2, ptep, makePte(table, PTE_PRESENT));
            yield* mmuextPinTable(2, table, 1);
          },
        },
        { name: 'writer', v: 3, body: () => cpuStore(3, 5, 7, 0) },
      ],
      {
        memory,
        invariant: () => {
          const info = now(PageInfo.typeInfo.at(table));
          const isTable = (info & PGT_type_mask) === PGT_l1_page_table && (info >> 26) % 2 === 1;
          return isTable && isCached(MAPPER, table, true) ? 'I7: a writable page table' : null;
        },
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('writers and a page table of one page exclude each other', () => {
    m = bootMachine({}, [2, 3]);
    const table = tablePage(MAPPER, 2);
    const result = explore(
      m,
      [
        { name: 'a', v: 2, body: () => mmuUpdate(2, leafEntry(m, MAPPER, 4), makePte(table, rw)) },
        { name: 'b', v: 3, body: () => mmuextPinTable(3, table, 1) },
      ],
      {
        memory,
        invariant: () => {
          const type = now(PageInfo.typeInfo.at(table)) & PGT_type_mask;
          const writable = entriesOf(MAPPER, table, rw) > 0;
          return writable && type !== PGT_writable_page ? 'I7: a writable page table' : null;
        },
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('updates of one entry at once drop each old entry once', () => {
    m = bootMachine({}, [2, 3]);
    const pages = [0, 1].map(() => dataFrame(MAPPER));
    const ptep = leafEntry(m, MAPPER, 4);
    const result = explore(
      m,
      [2, 3].map((v) => ({
        name: `v${v}`,
        v,
        body: () => mmuUpdate(v, ptep, makePte(pages[v - 2] as number, rw)),
      })),
      {
        memory,
        final: () => {
          const counts = pages.map(pageCount).toSorted((a, b) => a - b);
          return counts.join() === '1,2' ? null : `I2: counts ${counts.join()}`;
        },
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('the first users of a type wait for whoever validates it', () => {
    m = bootMachine({}, [2, 3]);
    const mfn = dataFrame(MAPPER);
    const body = (v: number) =>
      function* () {
        if ((yield* getPageType(v, mfn, PGT_writable_page)) !== 0) yield* putPageType(v, mfn);
      };
    const result = explore(
      m,
      [2, 3].map((v) => ({ name: `v${v}`, v, body: body(v) })),
      { memory, final: () => (typeCount(mfn) === 0 ? null : 'I2: type references left') },
    );
    expect(result.finding).toBeUndefined();
  });
});
