/**
 * Goal: a grant table changes its version only when nothing rests on the old one, keeps the
 * toolstack's entries, and frees status frames only when nobody can reach them any more.
 * Method: a table of refusals; entries and frames before and after; races of two changes, of a
 * change with a map that is undone, and of a change with a frame on its way into a guest.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { PTE_PRESENT, PTE_RW, PTE_USER, makePte } from '../../../src/hardware/paging.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { Domain } from '../../../src/xen/domain.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import {
  GrantEntry,
  GrantStatusFrame,
  sharedEntryFrame,
  sharedEntryFrameHigh,
  sharedEntryHeader,
  statusEntry,
} from '../../../src/xen/grant-table/entry.ts';
import { GrantTable } from '../../../src/xen/grant-table/lock.ts';
import {
  XENMAPIDX_grant_table_status,
  xenmemAddToPhysmapOne,
} from '../../../src/xen/grant-table/map-frame.ts';
import { gnttabMapGrantRef } from '../../../src/xen/grant-table/map.ts';
import { gnttabQuerySize, gnttabSetupTable } from '../../../src/xen/grant-table/setup.ts';
import { gnttabGetStatusFrames } from '../../../src/xen/grant-table/status-frames.ts';
import { gnttabGetVersion, gnttabSetVersion } from '../../../src/xen/grant-table/version.ts';
import { mmuUpdate } from '../../../src/xen/mmu.ts';
import { Heap } from '../../../src/xen/page-alloc.ts';
import { NO_OWNER, PageInfo } from '../../../src/xen/page-info.ts';
import { Physmap } from '../../../src/xen/physmap.ts';
import * as abi from '../../../src/xen/public/grant-table.ts';
import * as xen from '../../../src/xen/public/xen.ts';
import {
  GRANTER,
  GuestWord,
  MAPPER,
  bootMachine,
  dataFrame,
  explore,
  fillMap,
  grant,
  leafEntry,
  mapNow,
  mapStatus,
  now,
} from '../machine.ts';
import type { XenMachine } from '../machine.ts';
import { publishV2, setVersion, statusOf } from '../version2.ts';

const host = abi.GNTMAP_host_map;
const reserved = 1;
let m: XenMachine;
beforeEach(() => {
  m = bootMachine();
});

const versionOf = (d: number): number => now(GrantTable.gtVersion.at(d));
const frameOf = (i: number): number => now(GrantStatusFrame.value.at2(GRANTER, i));
const available = (): number => now(Heap.available.word);

function setup(frames: number): number {
  const op = GuestWord.value.at(300);
  writeLocal(op + abi.SETUP_DOM, xen.DOMID_SELF);
  writeLocal(op + abi.SETUP_NR_FRAMES, frames);
  writeLocal(op + abi.SETUP_FRAME_LIST, GuestWord.value.at(320));
  runAlone(gnttabSetupTable(0, op));
  return now(op + abi.SETUP_STATUS);
}

function statusFrames(dom: number, frames: number, list: number): number {
  const op = GuestWord.value.at(310);
  writeLocal(op + abi.STATUS_FRAMES_DOM, dom);
  writeLocal(op + abi.STATUS_FRAMES_NR, frames);
  writeLocal(op + abi.STATUS_FRAMES_LIST, list);
  runAlone(gnttabGetStatusFrames(0, op));
  return now(op + abi.STATUS_FRAMES_STATUS);
}

function getVersion(dom: number): number {
  const op = GuestWord.value.at(330);
  writeLocal(op + abi.GET_VERSION_DOM, dom);
  const rc = runAlone(gnttabGetVersion(0, op));
  return rc < 0 ? rc : now(op + abi.GET_VERSION_VERSION);
}

describe('set_version', () => {
  test('says which version the table has, and knows only two', () => {
    expect(getVersion(xen.DOMID_SELF)).toBe(1);
    expect(setVersion(GRANTER, 3)).toBe(-xen.XEN_EINVAL);
    expect(now(GuestWord.value.at(490))).toBe(1);
    expect(setVersion(GRANTER, 1)).toBe(0);
    expect(setVersion(GRANTER, 2)).toBe(0);
    expect(getVersion(GRANTER)).toBe(2);
    expect(getVersion(MAPPER)).toBe(-xen.XEN_EPERM);
    expect(getVersion(9)).toBe(-xen.XEN_ESRCH);
    m = bootMachine({ gnttabMaxVersion: 1 });
    expect(setVersion(GRANTER, 2)).toBe(-xen.XEN_ENOSYS);
  });

  test('keeps the toolstack’s entries through both changes and clears the others', () => {
    const [mfn, other] = [dataFrame(GRANTER), dataFrame(GRANTER)];
    grant(GRANTER, reserved, mfn);
    grant(GRANTER, 2, other);
    writeLocal(GrantEntry.hdr.at2(GRANTER, 2), abi.GTF_accept_transfer);
    grant(GRANTER, 9, other);
    mapNow(0, 5, host, reserved);
    const before = now(GrantEntry.hdr.at2(GRANTER, reserved));
    expect(setVersion(GRANTER, 2)).toBe(0);
    expect(statusOf(GRANTER, reserved)).toBe(abi.GTF_reading | abi.GTF_writing);
    expect(now(sharedEntryHeader(GRANTER, reserved, 2))).toBe(
      before & ~(abi.GTF_reading | abi.GTF_writing),
    );
    expect(now(sharedEntryFrame(GRANTER, reserved, 2))).toBe(mfn);
    expect(setVersion(GRANTER, 1)).toBe(0);
    expect(now(GrantEntry.hdr.at2(GRANTER, reserved))).toBe(before);
    expect(now(GrantEntry.frame.at2(GRANTER, reserved))).toBe(mfn);
    expect([2, 9].map((ref) => now(GrantEntry.hdr.at2(GRANTER, ref)))).toEqual([0, 0]);
  });

  test('is refused while anything rests on the version', () => {
    grant(GRANTER, 9, dataFrame(GRANTER));
    mapNow(0, 5, host, 9);
    expect(setVersion(GRANTER, 2)).toBe(-xen.XEN_EBUSY);
    m = bootMachine();
    setVersion(GRANTER, 2);
    writeLocal(GrantTable.nrV2Ops.at(GRANTER), 1);
    expect(setVersion(GRANTER, 1)).toBe(-xen.XEN_EAGAIN);
    writeLocal(GrantTable.nrV2Ops.at(GRANTER), 0);
    runAlone(publishV2(GRANTER, 0, MAPPER, dataFrame(GRANTER)));
    writeLocal(sharedEntryFrameHigh(GRANTER, 0), 1);
    expect(setVersion(GRANTER, 1)).toBe(-xen.XEN_ERANGE);
    writeLocal(sharedEntryHeader(GRANTER, 0, 2), abi.GTF_transitive);
    expect(setVersion(GRANTER, 1)).toBe(-xen.XEN_ERANGE);
    expect(versionOf(GRANTER)).toBe(2);
  });

  test('without memory for the status frames gives back what it has', () => {
    m = bootMachine({ gnttabInitialFrames: 2 });
    while (now(PageInfo.next.at(now(Heap.dataHead.word))) >= 0) dataFrame(GRANTER);
    const before = available();
    expect(setVersion(GRANTER, 2)).toBe(-xen.XEN_ENOMEM);
    expect([versionOf(GRANTER), available()]).toEqual([1, before]);
  });
});

describe('status frames', () => {
  test('come with version 2 and with a larger table, and go with version 1', () => {
    const before = available();
    expect(statusFrames(xen.DOMID_SELF, 1, 350)).toBe(abi.GNTST_general_error);
    setVersion(GRANTER, 2);
    expect([available(), now(PageInfo.owner.at(frameOf(0)))]).toEqual([before - 1, GRANTER]);
    expect(now(Domain.xenheapPages.at(GRANTER))).toBe(1);
    expect(setup(2)).toBe(abi.GNTST_okay);
    expect(now(GrantTable.nrStatusFrames.at(GRANTER))).toBe(2);
    const list = GuestWord.value.at(350);
    expect(statusFrames(xen.DOMID_SELF, 2, list)).toBe(abi.GNTST_okay);
    expect([now(list), now(list + 1)]).toEqual([frameOf(0), frameOf(1)]);
    expect(statusFrames(xen.DOMID_SELF, 3, list)).toBe(abi.GNTST_general_error);
    expect(statusFrames(xen.DOMID_SELF, 1, 0)).toBe(abi.GNTST_bad_virt_addr);
    expect(statusFrames(MAPPER, 1, list)).toBe(abi.GNTST_permission_denied);
    expect(statusFrames(9, 1, list)).toBe(abi.GNTST_bad_domain);
    expect(setVersion(GRANTER, 1)).toBe(0);
    expect([available(), now(Domain.xenheapPages.at(GRANTER))]).toEqual([before, 0]);
    expect(frameOf(0)).toBe(0);
  });

  test('that a PV guest has mapped keep the table at version 2, unharmed', () => {
    setVersion(GRANTER, 2);
    setup(2);
    const entry = makePte(frameOf(1), PTE_PRESENT | PTE_RW | PTE_USER);
    expect(runAlone(mmuUpdate(0, leafEntry(m, GRANTER, 6), entry))).toBe(0);
    const counts = [0, 1].map((i) => now(PageInfo.countInfo.at(frameOf(i))));
    expect(setVersion(GRANTER, 1)).toBe(-xen.XEN_EBUSY);
    expect([0, 1].map((i) => now(PageInfo.countInfo.at(frameOf(i))))).toEqual(counts);
    expect([0, 1].map((i) => now(PageInfo.owner.at(frameOf(i))))).toEqual([GRANTER, GRANTER]);
    expect(runAlone(mmuUpdate(0, leafEntry(m, GRANTER, 6), 0))).toBe(0);
    expect(setVersion(GRANTER, 1)).toBe(0);
  });

  test('of a translated guest move from gfn to gfn and leave with version 1', () => {
    m = bootMachine({ translatedDomains: 1 });
    const status = XENMAPIDX_grant_table_status;
    const enter = (idx: number, gfn: number): number =>
      runAlone(xenmemAddToPhysmapOne(0, GRANTER, idx, gfn));
    expect(enter(status, 1)).toBe(-xen.XEN_EINVAL);
    setVersion(GRANTER, 2);
    expect(enter(status, 9)).toBe(-xen.XEN_EINVAL);
    expect(enter(status | 2, 1)).toBe(-xen.XEN_EINVAL);
    expect(enter(status, 1)).toBe(0);
    expect(enter(status, 2)).toBe(0);
    const at = (gfn: number): number => now(Physmap.mfn.at2(GRANTER, gfn));
    expect([at(1), at(2)]).toEqual([0, frameOf(0)]);
    expect(enter(status | 1, 2)).toBe(0);
    expect(at(2)).toBe(frameOf(1));
    expect(setVersion(GRANTER, 1)).toBe(0);
    expect(at(2)).toBe(0);
  });
});

function* changes(v: number, version: number): Op<void> {
  const op = GuestWord.value.at(400 + v);
  writeLocal(op, version);
  const rc = yield* gnttabSetVersion(v, op);
  writeLocal(GuestWord.value.at(410 + v), rc);
}

describe.each(['sc', 'tso'] as const)('a change under %s', (memory) => {
  function run(actors: Parameters<typeof explore>[1], final: () => string | null): void {
    const result = explore(m, actors, { memory, strategy: 'pct', executions: 300, final });
    expect(result.finding).toBeUndefined();
  }

  /** Frames as many as the version needs, and they belong to the domain. */
  function frames(): string | null {
    const count = now(GrantTable.nrStatusFrames.at(GRANTER));
    if (count !== (versionOf(GRANTER) === 2 ? 1 : 0)) return 'I9: frames and version disagree';
    for (let i = 0; i < count; i++) {
      if (now(PageInfo.owner.at(frameOf(i))) !== GRANTER) return 'I9: a freed status frame';
    }
    return null;
  }

  test('races with another', () => {
    m = bootMachine({}, [0, 1]);
    run(
      [
        { name: 'to 2', v: 0, body: () => changes(0, 2) },
        { name: 'to 1', v: 1, body: () => changes(1, 1) },
      ],
      frames,
    );
  });

  test('races with one to the same version: the second finds nothing to do', () => {
    m = bootMachine({}, [0, 1]);
    const mfn = dataFrame(GRANTER);
    grant(GRANTER, reserved, mfn);
    run(
      [
        { name: 'one', v: 0, body: () => changes(0, 2) },
        { name: 'other', v: 1, body: () => changes(1, 2) },
      ],
      () => {
        const kept = now(sharedEntryFrame(GRANTER, reserved, 2)) === mfn;
        return kept ? frames() : 'the toolstack’s entry is lost';
      },
    );
  });

  test('races with a map of a reserved entry that is undone', () => {
    m = bootMachine({}, [0, 2]);
    grant(GRANTER, reserved, dataFrame(GRANTER));
    // vpn 40 has no page table, so the mapping fails after the locks were dropped.
    fillMap(0, { hostAddr: 40, flags: host, ref: reserved });
    run(
      [
        { name: 'granter', v: 0, body: () => changes(0, 2) },
        { name: 'mapper', v: 2, body: () => gnttabMapGrantRef(2, fillMapWord(), 1) },
      ],
      () => {
        if (now(ActiveEntry.pin.at2(GRANTER, reserved)) !== 0) return 'I1: a pin is left';
        const v2 = versionOf(GRANTER) === 2;
        const word = v2 ? statusEntry(GRANTER, reserved) : GrantEntry.hdr.at2(GRANTER, reserved);
        const marked = (now(word) & (abi.GTF_reading | abi.GTF_writing)) !== 0;
        return marked ? 'I4: marked for nobody' : frames();
      },
    );
    expect(mapStatus({ hostAddr: 40, flags: host, ref: reserved })).toBe(abi.GNTST_general_error);
  });

  test('races with a status frame on its way into a translated guest', () => {
    m = bootMachine({ translatedDomains: 1 }, [0, 1]);
    setVersion(GRANTER, 2);
    const idx = XENMAPIDX_grant_table_status;
    run(
      [
        { name: 'to 1', v: 0, body: () => changes(0, 1) },
        { name: 'enters', v: 1, body: () => xenmemAddToPhysmapOne(1, GRANTER, idx, 1) },
      ],
      () => {
        const mfn = now(Physmap.mfn.at2(GRANTER, 1));
        if (mfn === 0) return frames();
        const owner = now(PageInfo.owner.at(mfn));
        return owner === NO_OWNER ? 'I9: a freed frame in the guest' : frames();
      },
    );
  });
});

function fillMapWord(): number {
  return GuestWord.value.at(0);
}

test('query_size counts frames whatever the version', () => {
  setVersion(GRANTER, 2);
  const op = GuestWord.value.at(340);
  writeLocal(op + abi.QUERY_DOM, xen.DOMID_SELF);
  runAlone(gnttabQuerySize(0, op));
  expect([now(op + abi.QUERY_NR_FRAMES), now(op + abi.QUERY_STATUS)]).toEqual([1, 0]);
});
