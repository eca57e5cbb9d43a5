/**
 * Goal: a transferred page has exactly one owner at every moment or none, the target learns of it
 * after it is there, and no translation of the old owner survives.
 * Method: single transfers of both versions and every refusal; a recorded run for the order of
 * flush, frame and flag; races with the guest that takes its offer back, with a change of version
 * and with a mapping of the page by the old owner.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { cpuStore } from '../../../src/hardware/access.ts';
import { PTE_PRESENT, PTE_RW, PTE_USER, makePte } from '../../../src/hardware/paging.ts';
import { SMP_WMB, WRITE } from '../../../src/shared/kinds.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cmpxchg, readOnce, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { Domain } from '../../../src/xen/domain.ts';
import {
  GrantEntry,
  entryHeader,
  sharedEntryFrame,
  sharedEntryHeader,
  statusEntry,
} from '../../../src/xen/grant-table/entry.ts';
import { GrantTable } from '../../../src/xen/grant-table/lock.ts';
import { gnttabSwapGrantRef } from '../../../src/xen/grant-table/swap.ts';
import { gnttabTransfer } from '../../../src/xen/grant-table/transfer.ts';
import { gnttabSetVersion } from '../../../src/xen/grant-table/version.ts';
import { mmuUpdate } from '../../../src/xen/mmu.ts';
import { Heap } from '../../../src/xen/page-alloc.ts';
import { NO_OWNER, PGC_count_mask, PGC_state_free, PageInfo } from '../../../src/xen/page-info.ts';
import * as abi from '../../../src/xen/public/grant-table.ts';
import { XEN_EOPNOTSUPP } from '../../../src/xen/public/xen.ts';
import {
  GuestWord,
  bootMachine,
  dataFrame,
  explore,
  grant,
  inOrder,
  isMapped,
  leafEntry,
  mapNow,
  now,
  recordOps,
} from '../machine.ts';
import type { XenMachine } from '../machine.ts';
import { setVersion, statusOf } from '../version2.ts';

/** Who gives a page, and who takes it. */
const GIVER = 1;
const TAKER = 0;
const ref = 3;
const committed = abi.GTF_transfer_committed;
const done = abi.GTF_accept_transfer | committed | abi.GTF_transfer_completed;
let m: XenMachine;
let mfn: number;

function boot(running: number[] = [], overrides: Record<string, number> = {}): void {
  m = bootMachine(overrides, running);
  mfn = dataFrame(GIVER);
  accept(1);
}
beforeEach(() => boot());

const op = (): number => GuestWord.value.at(0);
const ownerOf = (page: number): number => now(PageInfo.owner.at(page));
const totals = (): number[] => [0, 1].map((d) => now(Domain.totPages.at(d)));
const flagsOf = (version: number): number => now(sharedEntryHeader(TAKER, ref, version)) & 0xffff;

/** The taker offers an entry. */
function accept(version: number): void {
  const hdr = entryHeader(abi.GTF_accept_transfer, GIVER);
  writeLocal(sharedEntryFrame(TAKER, ref, version), 12);
  writeLocal(sharedEntryHeader(TAKER, ref, version), hdr);
}

function fill(page: number, domid = TAKER, gref = ref): number {
  writeLocal(op() + abi.TRANSFER_MFN, page);
  writeLocal(op() + abi.TRANSFER_DOMID, domid);
  writeLocal(op() + abi.TRANSFER_REF, gref);
  writeLocal(op() + abi.TRANSFER_STATUS, 99);
  return op();
}

function transfer(page: number, domid = TAKER, gref = ref): number {
  runAlone(gnttabTransfer(2, fill(page, domid, gref), 1));
  return now(op() + abi.TRANSFER_STATUS);
}

describe('a transfer', () => {
  test.each([1, 2])('into an entry of version %i gives the page away', (version) => {
    if (version === 2) setVersion(TAKER, 2);
    accept(version);
    const [taken, given] = totals();
    expect(transfer(mfn)).toBe(abi.GNTST_okay);
    expect(ownerOf(mfn)).toBe(TAKER);
    expect([now(sharedEntryFrame(TAKER, ref, version)), flagsOf(version)]).toEqual([mfn, done]);
    expect(totals()).toEqual([(taken as number) + 1, (given as number) - 1]);
    expect(now(PageInfo.countInfo.at(mfn)) & PGC_count_mask).toBe(1);
  });

  test('that cannot begin leaves the page where it is', () => {
    expect(transfer(-1)).toBe(abi.GNTST_bad_page);
    expect(transfer(dataFrame(TAKER))).toBe(abi.GNTST_bad_page);
    expect(runAlone(mmuUpdate(2, leafEntry(m, GIVER, 6), makePte(mfn, PTE_PRESENT)))).toBe(0);
    expect(transfer(mfn)).toBe(abi.GNTST_bad_page);
    expect(ownerOf(mfn)).toBe(GIVER);
    boot([], { gnttabTransfer: 0 });
    expect(runAlone(gnttabTransfer(2, fill(mfn), 1))).toBe(-XEN_EOPNOTSUPP);
  });

  test('that finds no taker loses the page to the heap', () => {
    const refused: [number, () => number][] = [
      [abi.GNTST_bad_domain, () => transfer(mfn, 7)],
      [abi.GNTST_general_error, () => transfer(mfn, TAKER, 4)],
      [abi.GNTST_general_error, () => transfer(mfn, TAKER, 99)],
      [abi.GNTST_general_error, refuseFull],
      [abi.GNTST_general_error, refuseDying],
    ];
    for (const [status, call] of refused) {
      boot();
      const [free, taken] = [now(Heap.available.word), totals()[TAKER]];
      expect(call()).toBe(status);
      expect([now(Heap.available.word), totals()[TAKER]]).toEqual([free + 1, taken]);
      expect([ownerOf(mfn), flagsOf(1)]).toEqual([NO_OWNER, abi.GTF_accept_transfer]);
    }
  });

  test('flushes before the page changes hands, and writes the frame before the flag', () => {
    const log = recordOps(gnttabTransfer(2, fill(mfn), 1));
    const frame = [WRITE, sharedEntryFrame(TAKER, ref, 1)];
    const flag = [WRITE, sharedEntryHeader(TAKER, ref, 1)];
    expect(inOrder(log, [frame, [SMP_WMB], flag])).toBe(true);
  });
});

function refuseFull(): number {
  writeLocal(Domain.maxPages.at(TAKER), totals()[TAKER] as number);
  return transfer(mfn);
}

function refuseDying(): number {
  writeLocal(Domain.isDying.at(TAKER), 1);
  return transfer(mfn);
}

/** Invalidating an unused GTF_accept_transfer entry, as public/grant_table.h says. */
function* takesBack(): Op<void> {
  const word = GrantEntry.hdr.at2(TAKER, ref);
  const hdr = yield* readOnce(word);
  if ((hdr & committed) !== 0) return;
  if ((yield* cmpxchg(word, hdr, hdr & ~0xffff)) === hdr) writeLocal(GuestWord.value.at(20), 1);
}

function* changesVersion(): Op<void> {
  const version = GuestWord.value.at(30);
  writeLocal(version, 2);
  yield* gnttabSetVersion(0, version);
}

/** The giver's other vCPU maps the page, writes and unmaps, without a flush. */
function* uses(): Op<void> {
  const pte = leafEntry(m, GIVER, 6);
  const entry = makePte(mfn, PTE_PRESENT | PTE_RW | PTE_USER);
  if ((yield* mmuUpdate(3, pte, entry)) !== 0) return;
  yield* cpuStore(3, 6, 0, 7);
  yield* mmuUpdate(3, pte, 0);
}

describe.each(['sc', 'tso'] as const)('a transfer under %s', (memory) => {
  function run(
    other: { name: string; v: number; body: () => Op<void> },
    more: () => string | null,
  ) {
    const actors = [{ name: 'giver', v: 2, body: () => gnttabTransfer(2, fill(mfn), 1) }, other];
    const result = explore(m, actors, { memory, strategy: 'pct', executions: 300, final: more });
    expect(result.finding).toBeUndefined();
  }
  const isTaken = (): boolean => now(op() + abi.TRANSFER_STATUS) === abi.GNTST_okay;

  test('races with the guest that takes its offer back', () => {
    boot([2]);
    run({ name: 'taker', v: -1, body: takesBack }, () => {
      const back = now(GuestWord.value.at(20)) === 1;
      if (back === isTaken()) return 'taken back and transferred';
      if (back)
        return (now(PageInfo.countInfo.at(mfn)) & PGC_state_free) !== 0 ? null : 'I17: lost';
      return flagsOf(1) === done && ownerOf(mfn) === TAKER ? null : 'I17: not the taker’s';
    });
  });

  test('races with a change of the taker’s version: what is committed is not written over', () => {
    boot([0, 2]);
    run({ name: 'taker', v: 0, body: changesVersion }, () => {
      const v2 = now(GrantTable.gtVersion.at(TAKER)) === 2;
      const written = now(GrantEntry.frame.at2(TAKER, ref)) === mfn;
      return v2 && written ? 'I15: an entry of another version was written' : null;
    });
  });

  test('races with the giver’s use of the page: nothing of the giver reaches it afterwards', () => {
    boot([2, 3]);
    run({ name: 'user', v: 3, body: uses }, () => {
      if (!isTaken()) return null;
      return isMapped(m, GIVER, mfn) ? 'I7: the giver still translates to it' : null;
    });
  });
});

describe('swapping two entries', () => {
  function swap(a: number, b: number): number {
    const record = GuestWord.value.at(40);
    writeLocal(record + abi.SWAP_REF_A, a);
    writeLocal(record + abi.SWAP_REF_B, b);
    runAlone(gnttabSwapGrantRef(0, record, 1));
    return now(record + abi.SWAP_STATUS);
  }
  const words = (r: number, version: number): number[] =>
    [0, 1, 2, 3].slice(0, 2 * version).map((i) => now(sharedEntryHeader(TAKER, r, version) + i));

  test('moves all words of both versions, and the status', () => {
    for (const version of [1, 2]) {
      setVersion(TAKER, version);
      for (let i = 0; i < 2 * version; i++) {
        writeLocal(sharedEntryHeader(TAKER, 4, version) + i, 10 + i);
        writeLocal(sharedEntryHeader(TAKER, 5, version) + i, 20 + i);
      }
      if (version === 2) {
        writeLocal(statusEntry(TAKER, 4), 0);
        writeLocal(statusEntry(TAKER, 5), abi.GTF_reading);
      }
      const before = [words(4, version), words(5, version)];
      expect(swap(4, 5)).toBe(abi.GNTST_okay);
      expect([words(5, version), words(4, version)]).toEqual(before);
    }
    expect([statusOf(TAKER, 4), statusOf(TAKER, 5)]).toEqual([abi.GTF_reading, 0]);
  });

  test('is refused for pinned and for unknown ones', () => {
    grant(TAKER, 6, dataFrame(TAKER));
    mapNow(3, 5, abi.GNTMAP_host_map, 6);
    expect([swap(6, 4), swap(4, 6)]).toEqual([abi.GNTST_eagain, abi.GNTST_eagain]);
    expect([swap(99, 4), swap(4, -1)]).toEqual([abi.GNTST_bad_gntref, abi.GNTST_bad_gntref]);
    expect(swap(4, 4)).toBe(abi.GNTST_okay);
  });
});
