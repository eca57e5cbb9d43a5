/**
 * Goal: GNTTABOP_map_grant_ref and unmap keep frames, pins, status bits and page tables in step,
 * and answer every wrong call with the status the ABI names.
 * Method: single calls on a booted machine, looking at the words afterwards; then races under the
 * explorer, sequentially consistent and with store buffers.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { PTE_PRESENT, PTE_RW, pteMfn } from '../../../src/hardware/paging.ts';
import { runAlone } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { gnttabMapGrantRef } from '../../../src/xen/grant-table/map.ts';
import { gnttabUnmapGrantRef } from '../../../src/xen/grant-table/unmap.ts';
import { PGC_count_mask, PageInfo } from '../../../src/xen/page-info.ts';
import {
  GNTMAP_contains_pte,
  GNTMAP_host_map,
  GNTST_okay,
  GTF_permit_access,
  GTF_reading,
  GTF_writing,
  MAP_HANDLE,
  MAP_STATUS,
  UNMAP_STATUS,
} from '../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  MAPPER,
  bootMachine,
  dataFrame,
  fillMap,
  fillUnmap,
  flagsOf,
  grant,
  leafEntry,
  now,
} from '../machine.ts';
import type { XenMachine } from '../machine.ts';

let m: XenMachine;
beforeEach(() => {
  m = bootMachine();
});

describe('a single mapping', () => {
  test('maps the frame, pins the grant, and unmaps to where it began', () => {
    const mfn = dataFrame(GRANTER);
    grant(GRANTER, 3, mfn);
    const ptep = leafEntry(m, MAPPER, 5);
    const op = fillMap(0, { hostAddr: ptep, flags: GNTMAP_host_map | GNTMAP_contains_pte, ref: 3 });
    runAlone(gnttabMapGrantRef(2, op, 1));
    expect(now(op + MAP_STATUS)).toBe(GNTST_okay);
    expect(pteMfn(now(ptep))).toBe(mfn);
    expect(now(ptep) & (PTE_PRESENT | PTE_RW)).toBe(PTE_PRESENT | PTE_RW);
    expect(now(ActiveEntry.pin.at2(GRANTER, 3))).toBe(1);
    expect(flagsOf(GRANTER, 3)).toBe(GTF_permit_access | GTF_reading | GTF_writing);
    expect(now(PageInfo.countInfo.at(mfn)) & PGC_count_mask).toBe(2);

    const un = fillUnmap(0, { hostAddr: ptep, handle: now(op + MAP_HANDLE) });
    runAlone(gnttabUnmapGrantRef(2, un, 1));
    expect(now(un + UNMAP_STATUS)).toBe(GNTST_okay);
    expect(now(ptep)).toBe(0);
    expect(now(ActiveEntry.pin.at2(GRANTER, 3))).toBe(0);
    expect(flagsOf(GRANTER, 3)).toBe(GTF_permit_access);
    expect(now(PageInfo.countInfo.at(mfn)) & PGC_count_mask).toBe(1);
  });
});
