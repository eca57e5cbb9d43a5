/**
 * Goal: whoever gets a type reference gets it of a page that has been brought into that type:
 * nobody slips past the one who is still flushing and checking.
 * Method: two vCPUs that want a page table of one page whose entries name another; either has the
 * type only when what the entries name is counted.
 */
import { expect, test } from 'vitest';
import { PTE_PRESENT, PTE_RW, makePte, ptEntryWord } from '../../src/hardware/paging.ts';
import type { Op } from '../../src/shared/op.ts';
import { runAlone, warnOn } from '../../src/shared/operations.ts';
import { populatePhysmap } from '../../src/xen/memory.ts';
import { mmuUpdate } from '../../src/xen/mmu.ts';
import { ZONE_PAGE_TABLE } from '../../src/xen/page-alloc.ts';
import { PGT_l1_page_table } from '../../src/xen/page-info.ts';
import { getPageType, putPageType } from '../../src/xen/page-type.ts';
import { MAPPER, bootMachine, dataFrame, explore, pageCount, typeCount } from './machine.ts';

function* usesAsTable(v: number, table: number, named: number): Op<void> {
  if ((yield* getPageType(v, table, PGT_l1_page_table)) === 0) return;
  warnOn(pageCount(named) !== 2 || typeCount(named) !== 1, 1, pageCount(named), typeCount(named));
  yield* putPageType(v, table);
}

test('a page table is used only after all that it maps is counted', () => {
  for (const memory of ['sc', 'tso'] as const) {
    const m = bootMachine({}, [2, 3]);
    const table = runAlone(populatePhysmap(2, MAPPER, 7, ZONE_PAGE_TABLE));
    const named = dataFrame(MAPPER);
    const entry = makePte(named, PTE_PRESENT | PTE_RW);
    runAlone(mmuUpdate(2, ptEntryWord(table, 3), entry));
    const result = explore(
      m,
      [2, 3].map((v) => ({ name: `v${v}`, v, body: () => usesAsTable(v, table, named) })),
      {
        memory,
        executions: 300,
        final: () =>
          pageCount(named) === 1 && typeCount(named) === 0 ? null : 'I2: references left',
      },
    );
    expect(result.finding).toBeUndefined();
  }
});
