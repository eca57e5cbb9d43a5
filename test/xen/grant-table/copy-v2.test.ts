/**
 * Goal: a copy through a grant of version 2 stays within the words granted, and one through a
 * transitive grant pins both grants for exactly as long as it lasts, whatever changes meanwhile.
 * Method: single copies between three domains with a look at pins, status words and counters;
 * races with another copy, with both granters' revokes and with a change of version.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { frameWord } from '../../../src/hardware/paging.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { ActiveEntry, activeEntryAcquire } from '../../../src/xen/grant-table/active.ts';
import { acquireGrantForCopy } from '../../../src/xen/grant-table/copy-acquire.ts';
import { gnttabCopy, grantTableOpCopy } from '../../../src/xen/grant-table/copy.ts';
import { giveUp } from '../../../src/xen/grant-table/copy-transitive.ts';
import { GrantTable, grantReadLock } from '../../../src/xen/grant-table/lock.ts';
import { gnttabSetVersion } from '../../../src/xen/grant-table/version.ts';
import { PGC_state_free, PageInfo } from '../../../src/xen/page-info.ts';
import * as abi from '../../../src/xen/public/grant-table.ts';
import { DOMID_SELF, XEN_EAGAIN } from '../../../src/xen/public/xen.ts';
import { TRC_GRANT_COPY } from '../../../src/xen/tracepoints.ts';
import {
  GuestWord,
  bootMachine,
  copyOp,
  dataFrame,
  explore,
  mapStatus,
  now,
  pageCount,
  recordOps,
} from '../machine.ts';
import type { XenMachine } from '../machine.ts';
import { publishTransitive, publishV2, revokeV2, setVersion, statusOf } from '../version2.ts';

/** Whose frame it is; who grants it on; who copies. */
const OWNER = 0;
const MIDDLE = 1;
const COPIER = 2;
const gref = 3;
const tref = 4;
let m: XenMachine;
let foreign: number;
let own: number;

function boot(running: number[] = []): void {
  m = bootMachine({ domains: 3, vcpus: 6, frames: 80, tlbEntries: 2 }, running);
  for (const d of [OWNER, MIDDLE]) expect(setVersion(d, 2)).toBe(0);
  foreign = dataFrame(OWNER);
  own = dataFrame(COPIER);
  for (const word of [0, 1]) {
    writeLocal(frameWord(foreign, word), 100 + word);
    writeLocal(frameWord(own, word), 200 + word);
  }
  runAlone(publishV2(OWNER, gref, MIDDLE, foreign));
  runAlone(publishTransitive(MIDDLE, tref, COPIER, OWNER, gref));
}
beforeEach(() => boot());

const pins = (): number[] => [
  now(ActiveEntry.pin.at2(OWNER, gref)),
  now(ActiveEntry.pin.at2(MIDDLE, tref)),
];
const v2Ops = (): number[] => [OWNER, MIDDLE].map((d) => now(GrantTable.nrV2Ops.at(d)));

/** A record that copies word 0 of a grant to word 1 of the caller's page, or back. */
function fill(n: number, fields: Readonly<Record<string, number>>): number {
  const op = copyOp(n);
  const into = (fields['flags'] ?? 1) === abi.GNTCOPY_dest_gref;
  const at = (name: string, otherwise: number): number => fields[name] ?? otherwise;
  writeLocal(op + abi.COPY_SOURCE, into ? own : at('ref', tref));
  writeLocal(op + abi.COPY_SOURCE_DOMID, into ? DOMID_SELF : at('dom', MIDDLE));
  writeLocal(op + abi.COPY_SOURCE_OFFSET, at('from', 0));
  writeLocal(op + abi.COPY_DEST, into ? at('ref', tref) : own);
  writeLocal(op + abi.COPY_DEST_DOMID, into ? at('dom', MIDDLE) : DOMID_SELF);
  writeLocal(op + abi.COPY_DEST_OFFSET, at('to', 1));
  writeLocal(op + abi.COPY_LEN, at('len', 1));
  writeLocal(op + abi.COPY_FLAGS, at('flags', abi.GNTCOPY_source_gref));
  writeLocal(op + abi.COPY_STATUS, 99);
  return op;
}

function copy(fields: Readonly<Record<string, number>>): number {
  const op = fill(0, fields);
  expect(runAlone(grantTableOpCopy(4, op, 1))).toBe(0);
  return now(op + abi.COPY_STATUS);
}

/** What is left when nobody copies any more. @returns null if nothing is. */
function leftover(): string | null {
  if (pins().some((pin) => pin !== 0)) return `I1: pins ${pins().join(' ')}`;
  if (v2Ops().some((ops) => ops !== 0)) return `nr_v2_ops ${v2Ops().join(' ')}`;
  if (statusOf(OWNER, gref) !== 0 || statusOf(MIDDLE, tref) !== 0) return 'I4: marked for nobody';
  return pageCount(foreign) > 1 || pageCount(own) > 1 ? 'I2: a reference is left' : null;
}

describe('a sub-page grant', () => {
  beforeEach(() => {
    runAlone(publishV2(OWNER, gref, COPIER, foreign, abi.GTF_sub_page, 1, 1));
  });

  test('is copied within its words only, and never mapped', () => {
    const sub = { ref: gref, dom: OWNER };
    expect(copy({ ...sub, from: 1, to: 0 })).toBe(abi.GNTST_okay);
    expect(now(frameWord(own, 0))).toBe(101);
    expect(copy({ ...sub, from: 0 })).toBe(abi.GNTST_general_error);
    expect(copy({ ...sub, from: 0, to: 0, len: 2 })).toBe(abi.GNTST_general_error);
    expect(copy({ ...sub, to: 0, flags: abi.GNTCOPY_dest_gref })).toBe(abi.GNTST_general_error);
    expect(copy({ ...sub, to: 1, flags: abi.GNTCOPY_dest_gref })).toBe(abi.GNTST_okay);
    expect(now(frameWord(foreign, 1))).toBe(101);
    const flags = abi.GNTMAP_host_map;
    expect(mapStatus({ hostAddr: 5, flags, ref: gref, dom: OWNER }, 4)).toBe(
      abi.GNTST_general_error,
    );
    expect(leftover()).toBeNull();
  });

  test('holds the table at version 2 while it is pinned', () => {
    const seen: number[] = [];
    fill(0, { ref: gref, dom: OWNER, from: 1, to: 0 });
    fill(1, { ref: gref, dom: OWNER, from: 1, flags: abi.GNTCOPY_dest_gref });
    explore(m, [{ name: 'copier', v: 4, body: () => gnttabCopy(4, copyOp(0), 2) }], {
      executions: 1,
      onTrace: (point) => {
        if (point === TRC_GRANT_COPY) seen.push(...v2Ops(), ...pins());
      },
    });
    expect(seen).toEqual([1, 0, 0x100, 0, 1, 0, 1, 0]);
    expect(leftover()).toBeNull();
  });
});

describe('a transitive grant', () => {
  test('reaches the frame it leads to, in both directions, and releases both grants', () => {
    expect(copy({})).toBe(abi.GNTST_okay);
    expect(now(frameWord(own, 1))).toBe(100);
    expect(copy({ flags: abi.GNTCOPY_dest_gref })).toBe(abi.GNTST_okay);
    expect(now(frameWord(foreign, 1))).toBe(200);
    expect(leftover()).toBeNull();
  });

  test('is refused where it leads nowhere, to itself, through another, or is mapped', () => {
    const refused: [number, number, number][] = [
      [MIDDLE, gref, abi.GNTST_general_error],
      [7, gref, abi.GNTST_general_error],
      [OWNER, 31, abi.GNTST_bad_gntref],
      [OWNER, 5, abi.GNTST_general_error],
    ];
    for (const [td, ref, status] of refused) {
      runAlone(publishTransitive(MIDDLE, tref, COPIER, td, ref));
      expect(copy({})).toBe(status);
      expect(leftover()).toBeNull();
    }
    runAlone(publishTransitive(OWNER, 5, MIDDLE, MIDDLE, tref));
    runAlone(publishTransitive(MIDDLE, tref, COPIER, OWNER, 5));
    expect(copy({})).toBe(abi.GNTST_general_error);
    const flags = abi.GNTMAP_host_map;
    expect(mapStatus({ hostAddr: 5, flags, ref: tref, dom: MIDDLE }, 4)).toBe(
      abi.GNTST_general_error,
    );
    expect(leftover()).toBeNull();
    boot();
    m = bootMachine({ domains: 3, vcpus: 6, frames: 80, gnttabTransitive: 0 });
    setVersion(MIDDLE, 2);
    own = dataFrame(COPIER);
    runAlone(publishTransitive(MIDDLE, tref, COPIER, OWNER, gref));
    expect(copy({})).toBe(abi.GNTST_general_error);
  });

  test('that leads elsewhere while it is pinned takes nobody: the copy is tried again', () => {
    const other = dataFrame(OWNER);
    runAlone(publishV2(OWNER, 5, MIDDLE, other));
    expect(runAlone(acquireGrantForCopy(5, MIDDLE, tref, COPIER, 1, 1))).toBe(abi.GNTST_okay);
    runAlone(publishTransitive(MIDDLE, tref, COPIER, OWNER, 5));
    const op = fill(0, { flags: abi.GNTCOPY_dest_gref });
    expect(runAlone(gnttabCopy(4, op, 1))).toBe(1);
    expect([now(op + abi.COPY_STATUS), ...pins()]).toEqual([99, 0x100, 0x100]);
    expect([statusOf(MIDDLE, tref), statusOf(OWNER, 5)]).toEqual([abi.GTF_reading, 0]);
    expect([pageCount(other), pageCount(foreign), ...v2Ops()]).toEqual([1, 2, 0, 1]);
  });
});

test('what a transitive grant led to is released with no lock of its own entry held', () => {
  expect(runAlone(acquireGrantForCopy(4, MIDDLE, tref, COPIER, 1, 1))).toBe(abi.GNTST_okay);
  runAlone(grantReadLock(4, MIDDLE));
  runAlone(activeEntryAcquire(MIDDLE, tref));
  const log = recordOps(giveUp(4, MIDDLE, tref, OWNER, gref, 1));
  const first = (word: number): number => log.findIndex((op) => op.word === word);
  const unlocked = first(ActiveEntry.lock.at2(MIDDLE, tref));
  expect(unlocked).toBeGreaterThanOrEqual(0);
  expect(first(ActiveEntry.lock.at2(OWNER, gref))).toBeGreaterThan(unlocked);
});

function* ends(d: number, ref: number): Op<void> {
  writeLocal(GuestWord.value.at(500 + d), yield* revokeV2(d, ref));
}

function* leavesVersion2(): Op<void> {
  const op = GuestWord.value.at(480);
  writeLocal(op, 1);
  const rc = yield* gnttabSetVersion(2, op);
  if (rc === -XEN_EAGAIN) writeLocal(GuestWord.value.at(484), 1);
}

describe.each(['sc', 'tso'] as const)('transitive copies under %s', (memory) => {
  function run(actors: Parameters<typeof explore>[1], done = 0): void {
    let bad: string | null = null;
    const result = explore(m, actors, {
      memory,
      strategy: 'pct',
      executions: 250,
      setup: () => {
        bad = null;
      },
      onTrace: (point, source, dest) => {
        if (point !== TRC_GRANT_COPY) return;
        for (const d of [OWNER, MIDDLE]) {
          if (now(GuestWord.value.at(500 + d)) === 1) bad = 'I4: a copy after the grant ended';
        }
        for (const page of [source, dest]) {
          const free = (now(PageInfo.countInfo.at(page)) & PGC_state_free) !== 0;
          if (free) bad = 'I2: copies a free page';
        }
      },
      invariant: () => bad,
      final: () => {
        for (let n = 0; n < done; n++) {
          if (now(copyOp(n) + abi.COPY_STATUS) !== 0) return `I11: copy ${n} failed`;
        }
        return leftover();
      },
    });
    expect(result.finding).toBeUndefined();
  }

  test('of two vCPUs share the entry', () => {
    boot([4, 5]);
    fill(0, {});
    fill(1, { flags: abi.GNTCOPY_dest_gref, to: 0 });
    const actors = [
      { name: 'out', v: 4, body: () => grantTableOpCopy(4, copyOp(0), 1) },
      { name: 'into', v: 5, body: () => grantTableOpCopy(5, copyOp(1), 1) },
    ];
    run(actors, 2);
  });

  test('race with both granters’ revokes', () => {
    boot([4]);
    fill(0, {});
    run([
      { name: 'copier', v: 4, body: () => grantTableOpCopy(4, copyOp(0), 1) },
      { name: 'owner', v: -1, body: () => ends(OWNER, gref) },
      { name: 'middle', v: -1, body: () => ends(MIDDLE, tref) },
    ]);
  });

  test('race with a change of version, which they hold off', () => {
    boot([2, 4]);
    fill(0, {});
    run([
      { name: 'copier', v: 4, body: () => grantTableOpCopy(4, copyOp(0), 1) },
      { name: 'middle', v: 2, body: leavesVersion2 },
    ]);
  });

  test('of two domains that grant each other transitively do not block each other', () => {
    m = bootMachine({ domains: 3, vcpus: 6, frames: 80, tlbEntries: 2 }, [4, 5]);
    for (const d of [OWNER, MIDDLE]) setVersion(d, 2);
    foreign = dataFrame(OWNER);
    own = dataFrame(COPIER);
    runAlone(publishTransitive(OWNER, gref, COPIER, MIDDLE, gref));
    runAlone(publishTransitive(MIDDLE, gref, COPIER, OWNER, gref));
    runAlone(publishTransitive(MIDDLE, tref, COPIER, OWNER, gref));
    fill(0, { dom: OWNER, ref: gref });
    fill(1, { dom: MIDDLE, ref: tref });
    run([
      { name: 'one', v: 4, body: () => grantTableOpCopy(4, copyOp(0), 1) },
      { name: 'two', v: 5, body: () => grantTableOpCopy(5, copyOp(1), 1) },
    ]);
  });
});
