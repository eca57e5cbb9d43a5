/**
 * Goal: an unmap goes PTE → flush → references and pin → status bits, for a whole batch with one
 * flush; of several unmaps of one handle one wins; nothing is dropped twice or by the wrong kind.
 * Method: recorded runs for the order, single calls for the counts, races under the explorer with
 * store buffers and with TLBs that hold the mapping.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { cpuLoad, cpuStore } from '../../../src/hardware/access.ts';
import { Vcpu } from '../../../src/hardware/vcpu.ts';
import {
  CMPXCHG,
  FETCH_ADD,
  FETCH_AND,
  READ,
  READ_ONCE,
  SMP_RMB,
  WRITE,
} from '../../../src/shared/kinds.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone } from '../../../src/shared/operations.ts';
import { BUG_IMPLICIT_UNMAP } from '../../../src/xen/bugs.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { GrantEntry } from '../../../src/xen/grant-table/entry.ts';
import { GrantTable } from '../../../src/xen/grant-table/lock.ts';
import { Maptrack, getMaptrackHandle } from '../../../src/xen/grant-table/maptrack.ts';
import { gnttabUnmapGrantRef } from '../../../src/xen/grant-table/unmap.ts';
import { decreaseReservation } from '../../../src/xen/memory.ts';
import { mmuUpdate } from '../../../src/xen/mmu.ts';
import { PageInfo } from '../../../src/xen/page-info.ts';
import {
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_dev_addr,
  GNTST_bad_handle,
  GNTST_general_error,
  GNTST_okay,
  UNMAP_STATUS,
} from '../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  MAPPER,
  bootMachine,
  dataFrame,
  explore,
  fillUnmap,
  flagsOf,
  grant,
  inOrder,
  leafEntry,
  mapNow,
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

/** Maps a grant at low vpns by PTE and prepares the unmap of each. @returns word of the batch. */
function mapMany(count: number): number {
  for (let n = 0; n < count; n++) {
    const hostAddr = leafEntry(m, MAPPER, n);
    fillUnmap(n, { hostAddr, handle: mapNow(0, hostAddr, byPte, ref) });
  }
  return unmapOp(0);
}

const flushes = (log: ReturnType<typeof recordOps>): number =>
  log.filter((op) => op.kind === FETCH_ADD && op.word === Vcpu.tlbSequence.at(2)).length;

describe('a batch', () => {
  test('empties all PTEs, flushes once, then drops references and pins, then status bits', () => {
    const ops = mapMany(3);
    const log = recordOps(gnttabUnmapGrantRef(2, ops, 3));
    const flush = [FETCH_ADD, Vcpu.tlbSequence.at(2)];
    expect(flushes(log)).toBe(1);
    for (let n = 0; n < 3; n++) {
      const pte = leafEntry(m, MAPPER, n);
      const at = log.findLastIndex((op) => op.word === pte);
      expect(at).toBeLessThan(log.findIndex((op) => op.kind === flush[0] && op.word === flush[1]));
    }
    for (const word of [PageInfo.typeInfo.at(mfn), PageInfo.countInfo.at(mfn), pinWord()]) {
      const first = log.findIndex(
        (op) => op.word === word && [CMPXCHG, FETCH_ADD, WRITE].includes(op.kind),
      );
      expect(first).toBeGreaterThan(log.findIndex((op) => op.word === flush[1]));
    }
    expect(inOrder(log, [flush, [WRITE, pinWord()], [FETCH_AND, GrantEntry.hdr.at2(0, ref)]])).toBe(
      true,
    );
    expect([now(pinWord()), pageCount(mfn), typeCount(mfn)]).toEqual([0, 1, 0]);
  });

  test('longer than GNTTAB_UNMAP_BATCH_SIZE is cut, with a flush for each part', () => {
    boot({ unmapBatch: 2 });
    const log = recordOps(gnttabUnmapGrantRef(2, mapMany(5), 5));
    expect(flushes(log)).toBe(3);
    for (let n = 0; n < 5; n++) expect(now(unmapOp(n) + UNMAP_STATUS)).toBe(GNTST_okay);
    expect([now(pinWord()), pageCount(mfn), typeCount(mfn)]).toEqual([0, 1, 0]);
  });

  test('with a bad operation in the middle completes the others', () => {
    const ops = mapMany(3);
    fillUnmap(1, { hostAddr: leafEntry(m, MAPPER, 1), handle: 15 });
    runAlone(gnttabUnmapGrantRef(2, ops, 3));
    const statuses = [0, 1, 2].map((n) => now(unmapOp(n) + UNMAP_STATUS));
    expect(statuses).toEqual([GNTST_okay, GNTST_bad_handle, GNTST_okay]);
    expect([now(pinWord()), pageCount(mfn), typeCount(mfn)]).toEqual([1, 2, 1]);
  });
});

describe('one unmap', () => {
  test('reads the limit before the page of the handle, and flags before the mapping', () => {
    const ops = mapMany(1);
    const handle = 0;
    const log = recordOps(gnttabUnmapGrantRef(2, ops, 1));
    const flags = Maptrack.flags.at2(MAPPER, handle);
    const limit = GrantTable.maptrackLimit.at(MAPPER);
    const firstLook = log.findIndex((op) => op.kind === READ_ONCE && op.word === flags);
    const untilLook = log.slice(0, firstLook);
    expect(inOrder(untilLook, [[READ, limit], [SMP_RMB]])).toBe(true);
    const underLock = [
      [READ_ONCE, flags],
      [SMP_RMB],
      [READ, Maptrack.domid.at2(MAPPER, handle)],
      [READ, Maptrack.ref.at2(MAPPER, handle)],
    ];
    expect(inOrder(log, underLock)).toBe(true);
    const bound = log.findIndex((op) => op.word === GrantTable.nrGrantFrames.at(GRANTER));
    const before = log.slice(0, bound).map((op) => op.kind);
    expect(before.lastIndexOf(SMP_RMB)).toBeGreaterThan(
      log.findIndex((op) => op.word === Maptrack.ref.at2(MAPPER, handle)),
    );
  });

  test('refuses handles that do not exist, are free, or are only reserved', () => {
    const ops = mapMany(1);
    runAlone(gnttabUnmapGrantRef(2, ops, 1));
    expect(unmapStatus({ hostAddr: 5, handle: 0 })).toBe(GNTST_bad_handle);
    expect(unmapStatus({ hostAddr: 5, handle: -1 })).toBe(GNTST_bad_handle);
    expect(unmapStatus({ hostAddr: 5, handle: 4 })).toBe(GNTST_bad_handle);
    const reserved = runAlone(getMaptrackHandle(2));
    expect(unmapStatus({ hostAddr: 5, handle: reserved })).toBe(GNTST_bad_handle);
  });

  test('refuses another bus address, and address 0 leaves the device mapping alone', () => {
    const handle = mapNow(0, leafEntry(m, MAPPER, 5), byPte | GNTMAP_device_map, ref);
    expect(unmapStatus({ devBusAddr: mfn + 1, handle })).toBe(GNTST_bad_dev_addr);
    for (let i = 0; i < 2; i++) {
      expect(unmapStatus({ hostAddr: leafEntry(m, MAPPER, 5), handle })).toBe(GNTST_okay);
      expect([now(pinWord()), pageCount(mfn), typeCount(mfn)]).toEqual([0x10000, 2, 1]);
    }
    expect(unmapStatus({ devBusAddr: mfn, handle })).toBe(GNTST_okay);
    expect([now(pinWord()), pageCount(mfn), typeCount(mfn)]).toEqual([0, 1, 0]);
  });

  test('refuses a PTE that maps something else or with other rights', () => {
    const handle = mapNow(0, leafEntry(m, MAPPER, 5), byPte, ref);
    const other = dataFrame(GRANTER);
    grant(GRANTER, 4, other);
    mapNow(1, leafEntry(m, MAPPER, 6), byPte, 4);
    grant(GRANTER, 6, mfn);
    mapNow(2, leafEntry(m, MAPPER, 7), byPte | GNTMAP_readonly, 6);
    for (const vpn of [6, 7, 4]) {
      expect(unmapStatus({ hostAddr: leafEntry(m, MAPPER, vpn), handle })).toBe(
        GNTST_general_error,
      );
    }
    expect(unmapStatus({ hostAddr: leafEntry(m, MAPPER, 5), handle })).toBe(GNTST_okay);
  });

  test('after an implicit unmap finds no PTE, so the grant stays pinned and Xen says so', () => {
    const ptep = leafEntry(m, MAPPER, 5);
    const handle = mapNow(0, ptep, byPte, ref);
    const result = explore(m, [{ name: 'guest', v: -1, body: () => mmuUpdate(2, ptep, 0) }], {
      executions: 1,
    });
    expect(result.finding?.message).toContain(`assertion ${BUG_IMPLICIT_UNMAP} failed`);
    runAlone(mmuUpdate(2, ptep, 0));
    expect([now(pinWord()), pageCount(mfn), typeCount(mfn)]).toEqual([1, 1, 0]);
    expect(unmapStatus({ hostAddr: ptep, handle })).toBe(GNTST_general_error);
  });
});

/** Loads through the mapping as long as it is there, filling this vCPU's TLB. */
function* touches(v: number, vpn: number): Op<void> {
  for (let i = 0; i < 3; i++) if ((yield* cpuLoad(v, vpn, 0)) !== 0) return;
}

function* revokesAndReuses(): Op<void> {
  if ((yield* revoke(GRANTER, ref)) === 1) yield* decreaseReservation(0, mfn);
}

function baseline(): string | null {
  if (now(pinWord()) === 0 && pageCount(mfn) <= 1 && typeCount(mfn) === 0) return null;
  return `I1: pin ${now(pinWord())}, count ${pageCount(mfn)}, types ${typeCount(mfn)}`;
}

describe.each(['sc', 'tso'] as const)('unmapping under %s', (memory) => {
  test('two unmaps of one handle: exactly one wins', () => {
    boot({}, [2, 3]);
    const handle = mapNow(0, 5, GNTMAP_host_map, ref);
    for (const n of [0, 1]) fillUnmap(n, { hostAddr: 5, handle });
    const result = explore(
      m,
      [
        { name: 'a', v: 2, body: () => gnttabUnmapGrantRef(2, unmapOp(0), 1) },
        { name: 'b', v: 3, body: () => gnttabUnmapGrantRef(3, unmapOp(1), 1) },
      ],
      {
        memory,
        executions: 250,
        final: () => {
          const wins = [0, 1].filter((n) => now(unmapOp(n) + UNMAP_STATUS) === GNTST_okay);
          return wins.length === 1 ? baseline() : `I11: ${wins.length} unmaps won`;
        },
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('host part and device part unmapped at once free the handle once', () => {
    boot({}, [2, 3]);
    const handle = mapNow(0, 5, GNTMAP_host_map | GNTMAP_device_map, ref);
    fillUnmap(0, { hostAddr: 5, handle });
    fillUnmap(1, { devBusAddr: mfn, handle });
    const result = explore(
      m,
      [
        { name: 'a', v: 2, body: () => gnttabUnmapGrantRef(2, unmapOp(0), 1) },
        { name: 'b', v: 3, body: () => gnttabUnmapGrantRef(3, unmapOp(1), 1) },
      ],
      {
        memory,
        executions: 250,
        final: () => {
          const list: number[] = [];
          let next = now(Maptrack.ref.at2(MAPPER, handle));
          while (next >= 0 && list.length < 20) {
            list.push(next);
            next = now(Maptrack.ref.at2(MAPPER, next));
          }
          return list.length > 0 ? 'I3: the handle is in the middle of the list' : baseline();
        },
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('no status bit goes while another mapping of the grant is in a page table or TLB', () => {
    boot({}, [2, 3]);
    for (const n of [0, 1]) {
      fillUnmap(n, { hostAddr: 5 + n, handle: mapNow(0, 5 + n, GNTMAP_host_map, ref) });
      runAlone(cpuStore(2 + n, 5 + n, 0, 7));
    }
    const result = explore(
      m,
      [
        { name: 'a', v: 2, body: () => gnttabUnmapGrantRef(2, unmapOp(0), 1) },
        { name: 'b', v: 3, body: () => gnttabUnmapGrantRef(3, unmapOp(1), 1) },
        { name: 'granter', v: -1, body: revokesAndReuses },
      ],
      { memory, executions: 200, invariant: () => unsound(m, ref, mfn), final: baseline },
    );
    expect(result.finding).toBeUndefined();
  });

  test('a writer and a reader of one grant: the writer’s unmap leaves GTF_reading', () => {
    boot({}, [2, 3]);
    fillUnmap(0, { hostAddr: 5, handle: mapNow(0, 5, GNTMAP_host_map, ref) });
    const readonly = GNTMAP_host_map | GNTMAP_readonly;
    fillUnmap(1, { hostAddr: 6, handle: mapNow(0, 6, readonly, ref) });
    const result = explore(
      m,
      [
        { name: 'writer', v: 2, body: () => gnttabUnmapGrantRef(2, unmapOp(0), 1) },
        { name: 'reader', v: 3, body: () => touches(3, 6) },
      ],
      {
        memory,
        executions: 200,
        invariant: () => unsound(m, ref, mfn),
        final: () => ((flagsOf(GRANTER, ref) & 0x18) === 0x08 ? null : 'I4: status bits'),
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('a vCPU that keeps using the mapping loses it before the granter gets the page', () => {
    boot({}, [2, 3]);
    fillUnmap(0, { hostAddr: 5, handle: mapNow(0, 5, GNTMAP_host_map, ref) });
    const result = explore(
      m,
      [
        { name: 'unmapper', v: 2, body: () => gnttabUnmapGrantRef(2, unmapOp(0), 1) },
        { name: 'user', v: 3, body: () => touches(3, 5) },
        { name: 'granter', v: -1, body: revokesAndReuses },
      ],
      { memory, executions: 200, invariant: () => unsound(m, ref, mfn), final: baseline },
    );
    expect(result.finding).toBeUndefined();
  });
});
