/**
 * Goal: GNTTABOP_map_grant_ref keeps frame counts, pins, status bits, page tables and maptrack in
 * step, undoes all of it when it fails, and never lets anybody in whom the granter has shut out.
 * Method: single calls on a booted machine with a look at the words afterwards; races under the
 * explorer with store buffers; the order of publishing stores by a recorded run.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { cpuLoad } from '../../../src/hardware/access.ts';
import { Vcpu } from '../../../src/hardware/vcpu.ts';
import {
  PTE_PRESENT,
  PTE_RW,
  PTE_SPECIAL,
  PTE_USER,
  pteMfn,
} from '../../../src/hardware/paging.ts';
import { FETCH_ADD, SMP_WMB, WRITE, WRITE_ONCE } from '../../../src/shared/kinds.ts';
import type { Op } from '../../../src/shared/op.ts';
import { read, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { MaptrackTree } from '../../../src/xen/grant-table/iommu-tree.ts';
import { gnttabMapGrantRef } from '../../../src/xen/grant-table/map.ts';
import { Maptrack } from '../../../src/xen/grant-table/maptrack.ts';
import { gnttabUnmapGrantRef } from '../../../src/xen/grant-table/unmap.ts';
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_guest_avail0,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_page,
  GNTST_general_error,
  GNTST_okay,
  GTF_permit_access,
  GTF_reading,
  GTF_writing,
  MAP_HANDLE,
  MAP_STATUS,
  UNMAP_HANDLE,
} from '../../../src/xen/public/grant-table.ts';
import { decreaseReservation } from '../../../src/xen/memory.ts';
import {
  GRANTER,
  GuestWord,
  MAPPER,
  bootMachine,
  dataFrame,
  explore,
  fillMap,
  fillUnmap,
  flagsOf,
  grant,
  inOrder,
  leafEntry,
  mapNow,
  mapOp,
  mapStatus,
  now,
  pageCount,
  recordOps,
  revoke,
  typeCount,
  unmapOp,
  unmapStatus,
  unsound,
} from '../machine.ts';
import type { XenMachine } from '../machine.ts';

const byPte = GNTMAP_host_map | GNTMAP_contains_pte;
const ref = 3;
const pinWord = (): number => ActiveEntry.pin.at2(GRANTER, ref);

let m: XenMachine;
let mfn: number;
function boot(overrides: Readonly<Record<string, number>> = {}, running: number[] = []): void {
  m = bootMachine(overrides, running);
  mfn = dataFrame(GRANTER);
  grant(GRANTER, ref, mfn);
}
beforeEach(() => boot());

/** All that a mapping counts is as if there had never been one. */
function expectUntouched(): void {
  expect(now(pinWord())).toBe(0);
  expect(flagsOf(GRANTER, ref) & (GTF_reading | GTF_writing)).toBe(0);
  expect([pageCount(mfn), typeCount(mfn)]).toEqual([1, 0]);
}

describe('a mapping', () => {
  test('maps the frame, pins the grant, and unmaps to where it began', () => {
    const ptep = leafEntry(m, MAPPER, 5);
    const handle = mapNow(0, ptep, byPte, ref);
    expect(pteMfn(now(ptep))).toBe(mfn);
    expect(now(ptep) & (PTE_PRESENT | PTE_RW | PTE_USER)).toBe(PTE_PRESENT | PTE_RW);
    expect(now(pinWord())).toBe(1);
    expect(flagsOf(GRANTER, ref)).toBe(GTF_permit_access | GTF_reading | GTF_writing);
    expect([pageCount(mfn), typeCount(mfn)]).toEqual([2, 1]);
    expect(unmapStatus({ hostAddr: ptep, handle })).toBe(GNTST_okay);
    expect(now(ptep)).toBe(0);
    expectUntouched();
  });

  test('by virtual address goes into the current page tables, with the flags asked for', () => {
    const flags = GNTMAP_host_map | GNTMAP_readonly | GNTMAP_application_map | GNTMAP_guest_avail0;
    const handle = mapNow(0, 6, flags, ref);
    const pte = now(leafEntry(m, MAPPER, 6));
    expect(pte & (PTE_RW | PTE_USER | PTE_SPECIAL)).toBe(PTE_USER | PTE_SPECIAL);
    expect([pageCount(mfn), typeCount(mfn)]).toEqual([2, 0]);
    expect(flagsOf(GRANTER, ref)).toBe(GTF_permit_access | GTF_reading);
    expect(unmapStatus({ hostAddr: 6, handle })).toBe(GNTST_okay);
    expectUntouched();
  });

  test('for host and devices holds two page references and two type references', () => {
    const ptep = leafEntry(m, MAPPER, 5);
    const handle = mapNow(0, ptep, byPte | GNTMAP_device_map, ref);
    expect(now(pinWord())).toBe(0x00010001);
    expect([pageCount(mfn), typeCount(mfn)]).toEqual([3, 2]);
    expect(unmapStatus({ hostAddr: ptep, handle })).toBe(GNTST_okay);
    expect(now(pinWord())).toBe(0x00010000);
    expect([pageCount(mfn), typeCount(mfn)]).toEqual([2, 1]);
    expect(flagsOf(GRANTER, ref) & GTF_writing).toBe(GTF_writing);
    expect(unmapStatus({ devBusAddr: mfn, handle })).toBe(GNTST_okay);
    expectUntouched();
  });

  test('of a grant that is mapped already holds references of its own', () => {
    const first = mapNow(0, 5, GNTMAP_host_map, ref);
    const second = mapNow(1, 6, GNTMAP_host_map, ref);
    expect([now(pinWord()), pageCount(mfn), typeCount(mfn)]).toEqual([2, 3, 2]);
    expect(unmapStatus({ hostAddr: 5, handle: first })).toBe(GNTST_okay);
    expect([now(pinWord()), pageCount(mfn), typeCount(mfn)]).toEqual([1, 2, 1]);
    expect(unmapStatus({ hostAddr: 6, handle: second })).toBe(GNTST_okay);
    expectUntouched();
  });

  test('keeps the frame when the granter gives it back meanwhile', () => {
    const ptep = leafEntry(m, MAPPER, 5);
    const handle = mapNow(0, ptep, byPte, ref);
    runAlone(decreaseReservation(0, mfn));
    expect(pageCount(mfn)).toBe(1);
    expect(unsound(m, ref, mfn)).toBeNull();
    expect(unmapStatus({ hostAddr: ptep, handle })).toBe(GNTST_okay);
    expect(pageCount(mfn)).toBe(0);
  });

  test('is published domid and ref, barrier, flags', () => {
    const op = fillMap(0, { hostAddr: leafEntry(m, MAPPER, 5), flags: byPte, ref });
    const log = recordOps(gnttabMapGrantRef(2, op, 1));
    const handle = now(op + MAP_HANDLE);
    const flags = [WRITE_ONCE, Maptrack.flags.at2(MAPPER, handle)];
    for (const field of [Maptrack.domid, Maptrack.ref]) {
      expect(inOrder(log, [[WRITE, field.at2(MAPPER, handle)], [SMP_WMB], flags])).toBe(true);
    }
  });

  test('a 129th mapping of one kind is refused', () => {
    writeLocal(pinWord(), 128);
    writeLocal(ActiveEntry.domid.at2(GRANTER, ref), MAPPER);
    writeLocal(ActiveEntry.mfn.at2(GRANTER, ref), mfn);
    expect(mapStatus({ hostAddr: leafEntry(m, MAPPER, 5), flags: byPte, ref })).toBe(
      GNTST_general_error,
    );
    expect(now(pinWord())).toBe(128);
  });

  test('another domain than the pinned one is refused though the entry names it now', () => {
    writeLocal(pinWord(), 1);
    writeLocal(ActiveEntry.domid.at2(GRANTER, ref), 7);
    expect(mapStatus({ flags: GNTMAP_device_map, ref })).toBe(GNTST_general_error);
  });
});

describe('a mapping that fails late', () => {
  test('for want of a page table undoes references, pin, status and handle', () => {
    const handle = mapNow(0, 7, GNTMAP_host_map | GNTMAP_readonly, ref);
    expect(unmapStatus({ hostAddr: 7, handle })).toBe(GNTST_okay);
    const flags = byPte | GNTMAP_device_map;
    expect(mapStatus({ hostAddr: GuestWord.value.at(0), flags, ref })).toBe(GNTST_general_error);
    expectUntouched();
    const again = new Set<number>();
    for (let i = 0; i < 15; i++) again.add(mapNow(1, 0, GNTMAP_device_map, ref));
    expect(again.size).toBe(15);
  });

  test('because the frame is not the granter’s takes the status back', () => {
    grant(GRANTER, ref, dataFrame(MAPPER));
    expect(mapStatus({ hostAddr: 5, flags: GNTMAP_host_map, ref })).toBe(GNTST_bad_page);
    expectUntouched();
  });

  test('after the PTE was written empties it again and flushes before the page goes', () => {
    boot({ iommu: 1 });
    writeLocal(MaptrackTree.node.at2(MAPPER, mfn), 0xffff0000 | 0);
    const ptep = leafEntry(m, MAPPER, 5);
    const op = fillMap(0, { hostAddr: ptep, flags: byPte, ref });
    const log = recordOps(gnttabMapGrantRef(2, op, 1));
    expect(now(op + MAP_STATUS)).toBe(GNTST_general_error);
    expect(now(ptep)).toBe(0);
    const order = [
      [WRITE_ONCE, ptep],
      [FETCH_ADD, Vcpu.tlbSequence.at(2)],
      [WRITE, pinWord()],
    ];
    expect(inOrder(log, order)).toBe(true);
    expectUntouched();
  });
});

function* mapsThenUnmaps(v: number, n: number, hostAddr: number): Op<void> {
  yield* gnttabMapGrantRef(v, mapOp(n), 1);
  if ((yield* read(mapOp(n) + MAP_STATUS)) !== GNTST_okay) return;
  writeLocal(unmapOp(n) + UNMAP_HANDLE, yield* read(mapOp(n) + MAP_HANDLE));
  yield* cpuLoad(v, hostAddr, 0);
  yield* gnttabUnmapGrantRef(v, unmapOp(n), 1);
}

/** Revokes; the result stands in guest word 500. */
function* revokes(): Op<void> {
  writeLocal(GuestWord.value.at(500), yield* revoke(GRANTER, ref));
}

describe.each(['sc', 'tso'] as const)('mapping under %s', (memory) => {
  test('a granter that revoked with success is never pinned afterwards', () => {
    for (const readonly of [0, GNTMAP_readonly]) {
      boot();
      fillMap(0, { hostAddr: 5, flags: GNTMAP_host_map | readonly, ref });
      writeLocal(GuestWord.value.at(500), 0);
      const result = explore(
        m,
        [
          { name: 'mapper', v: -1, body: () => gnttabMapGrantRef(2, mapOp(0), 1) },
          { name: 'granter', v: -1, body: revokes },
        ],
        {
          memory,
          strategy: 'optimal',
          executions: 5000,
          invariant: () =>
            now(GuestWord.value.at(500)) === 1 && now(pinWord()) !== 0
              ? 'I4: pinned after the granter ended the access'
              : unsound(m, ref, mfn),
        },
      );
      expect(result.finding).toBeUndefined();
      expect(result.exhausted).toBe(true);
    }
  });

  test('two mappers and their unmaps on one grant leave it as it was', () => {
    boot({}, [2, 3]);
    for (const n of [0, 1]) {
      fillMap(n, { hostAddr: 5 + n, flags: GNTMAP_host_map, ref });
      fillUnmap(n, { hostAddr: 5 + n, handle: -1 });
    }
    const result = explore(
      m,
      [
        { name: 'a', v: 2, body: () => mapsThenUnmaps(2, 0, 5) },
        { name: 'b', v: 3, body: () => mapsThenUnmaps(3, 1, 6) },
        { name: 'granter', v: -1, body: revokes },
      ],
      {
        memory,
        executions: 200,
        invariant: () => unsound(m, ref, mfn),
        final: () =>
          now(pinWord()) === 0 && pageCount(mfn) === 1 && typeCount(mfn) === 0
            ? null
            : `I1: pin ${now(pinWord())}, count ${pageCount(mfn)}, types ${typeCount(mfn)}`,
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('a mapping that races with its frame being given away never names a free frame', () => {
    boot({}, [2]);
    fillMap(0, { hostAddr: 5, flags: GNTMAP_host_map, ref });
    const result = explore(
      m,
      [
        { name: 'mapper', v: 2, body: () => gnttabMapGrantRef(2, mapOp(0), 1) },
        { name: 'granter', v: -1, body: () => decreaseReservation(0, mfn) },
      ],
      { memory, executions: 200, invariant: () => unsound(m, ref, mfn) },
    );
    expect(result.finding).toBeUndefined();
  });
});
