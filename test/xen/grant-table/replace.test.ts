/**
 * Goal: unmap_and_replace moves the entry of another address to where the grant was mapped, with
 * the references it holds, and leaves nothing behind on errors.
 * Method: single calls, with a look at both entries and the counts of both pages; a vCPU that reads
 * all the while.
 */
import { beforeEach, expect, test } from 'vitest';
import { cpuLoad } from '../../../src/hardware/access.ts';
import { PTE_PRESENT, makePte } from '../../../src/hardware/paging.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, warnOn, writeLocal } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { gnttabUnmapAndReplace } from '../../../src/xen/grant-table/replace.ts';
import { mmuUpdate } from '../../../src/xen/mmu.ts';
import {
  GNTMAP_contains_pte,
  GNTMAP_host_map,
  GNTST_bad_handle,
  GNTST_general_error,
  GNTST_okay,
  REPLACE_HANDLE,
  REPLACE_HOST_ADDR,
  REPLACE_NEW_ADDR,
  REPLACE_STATUS,
} from '../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  MAPPER,
  bootMachine,
  dataFrame,
  explore,
  grant,
  leafEntry,
  mapNow,
  now,
  pageCount,
  typeCount,
  unmapOp,
} from '../machine.ts';
import type { XenMachine } from '../machine.ts';

const ref = 3;
let m: XenMachine;
let granted: number;
let scratch: number;
beforeEach(() => boot());

function boot(running: number[] = []): void {
  m = bootMachine({}, running);
  granted = dataFrame(GRANTER);
  grant(GRANTER, ref, granted);
  scratch = dataFrame(MAPPER);
  runAlone(mmuUpdate(2, leafEntry(m, MAPPER, 6), makePte(scratch, PTE_PRESENT)));
}

function fill(hostAddr: number, newAddr: number, handle: number): number {
  const op = unmapOp(0);
  writeLocal(op + REPLACE_HOST_ADDR, hostAddr);
  writeLocal(op + REPLACE_NEW_ADDR, newAddr);
  writeLocal(op + REPLACE_HANDLE, handle);
  return op;
}

function replace(hostAddr: number, newAddr: number, handle: number): number {
  const op = fill(hostAddr, newAddr, handle);
  runAlone(gnttabUnmapAndReplace(2, op, 1));
  return now(op + REPLACE_STATUS);
}

test('the stolen entry takes the place of the grant, with its reference', () => {
  const handle = mapNow(0, 5, GNTMAP_host_map, ref);
  expect(replace(5, 6, handle)).toBe(GNTST_okay);
  expect(now(leafEntry(m, MAPPER, 5))).toBe(makePte(scratch, PTE_PRESENT));
  expect(now(leafEntry(m, MAPPER, 6))).toBe(0);
  expect([pageCount(scratch), pageCount(granted), typeCount(granted)]).toEqual([2, 1, 0]);
  expect(now(ActiveEntry.pin.at2(GRANTER, ref))).toBe(0);
});

test('with contains_pte it is refused and takes nothing', () => {
  const ptep = leafEntry(m, MAPPER, 5);
  const handle = mapNow(0, ptep, GNTMAP_host_map | GNTMAP_contains_pte, ref);
  expect(replace(ptep, 6, handle)).toBe(GNTST_general_error);
  expect([pageCount(scratch), pageCount(granted)]).toEqual([2, 2]);
});

test('an entry that does not match drops the stolen one, which is gone from its place', () => {
  const handle = mapNow(0, 5, GNTMAP_host_map, ref);
  expect(replace(4, 6, handle)).toBe(GNTST_general_error);
  expect(now(leafEntry(m, MAPPER, 6))).toBe(0);
  expect([pageCount(scratch), pageCount(granted)]).toEqual([1, 2]);
});

test('an unknown handle touches no entry', () => {
  expect(replace(5, 6, 3)).toBe(GNTST_bad_handle);
  expect(now(leafEntry(m, MAPPER, 6))).toBe(makePte(scratch, PTE_PRESENT));
});

function* neverFaults(v: number, vpn: number): Op<void> {
  for (let i = 0; i < 2; i++) warnOn((yield* cpuLoad(v, vpn, 0)) !== 0, 1, v, vpn);
}

test('a reader of the address sees the grant or the replacement, never nothing', () => {
  for (const memory of ['sc', 'tso'] as const) {
    boot([2, 3]);
    fill(5, 6, mapNow(0, 5, GNTMAP_host_map, ref));
    const result = explore(
      m,
      [
        { name: 'replacer', v: 2, body: () => gnttabUnmapAndReplace(2, unmapOp(0), 1) },
        { name: 'reader', v: 3, body: () => neverFaults(3, 5) },
      ],
      { memory },
    );
    expect(result.finding).toBeUndefined();
  }
});
