/**
 * Goal: a grant copy moves exactly the words asked for, between pages it has pinned and
 * referenced, and leaves no pin, type or reference behind, whatever fails.
 * Method: single batches with a look at counts; races with the granter, with unmaps and with other
 * copies; a recorded run for the order of release.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { frameWord } from '../../../src/hardware/paging.ts';
import { FETCH_ADD, WRITE } from '../../../src/shared/kinds.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { Domain } from '../../../src/xen/domain.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { gnttabCopy } from '../../../src/xen/grant-table/copy.ts';
import { gnttabUnmapGrantRef } from '../../../src/xen/grant-table/unmap.ts';
import { decreaseReservation } from '../../../src/xen/memory.ts';
import { PGC_state_free, PageInfo } from '../../../src/xen/page-info.ts';
import { TRC_GRANT_COPY } from '../../../src/xen/tracepoints.ts';
import {
  COPY_DEST,
  COPY_DEST_DOMID,
  COPY_DEST_OFFSET,
  COPY_FLAGS,
  COPY_LEN,
  COPY_SOURCE,
  COPY_SOURCE_DOMID,
  COPY_SOURCE_OFFSET,
  COPY_STATUS,
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_copy_arg,
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_bad_page,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
  GTF_reading,
  GTF_writing,
} from '../../../src/xen/public/grant-table.ts';
import { DOMID_SELF } from '../../../src/xen/public/xen.ts';
import {
  GRANTER,
  GuestWord,
  MAPPER,
  bootMachine,
  copyOp,
  dataFrame,
  explore,
  fillUnmap,
  flagsOf,
  grant,
  inOrder,
  mapNow,
  now,
  pageCount,
  recordOps,
  revoke,
  typeCount,
  unmapOp,
} from '../machine.ts';
import type { XenMachine } from '../machine.ts';

const ref = 3;
const pinOf = (gref: number): number => now(ActiveEntry.pin.at2(GRANTER, gref));
let m: XenMachine;
let foreign: number;
let own: number;
beforeEach(() => boot());

function boot(running: number[] = []): void {
  m = bootMachine({}, running);
  foreign = dataFrame(GRANTER);
  own = dataFrame(MAPPER);
  grant(GRANTER, ref, foreign);
  for (const word of [0, 1]) {
    writeLocal(frameWord(foreign, word), 100 + word);
    writeLocal(frameWord(own, word), 200 + word);
  }
}

const outOf = { source: ref, sourceDomid: GRANTER, flags: GNTCOPY_source_gref };
const into = { dest: ref, destDomid: GRANTER, flags: GNTCOPY_dest_gref };

/** A record that by default copies word 0 of the caller's page to its word 1. */
function fill(n: number, fields: Readonly<Record<string, number>>): number {
  const op = copyOp(n);
  const at = (name: string, otherwise: number): number => fields[name] ?? otherwise;
  writeLocal(op + COPY_SOURCE, at('source', own));
  writeLocal(op + COPY_SOURCE_DOMID, at('sourceDomid', DOMID_SELF));
  writeLocal(op + COPY_SOURCE_OFFSET, at('sourceOffset', 0));
  writeLocal(op + COPY_DEST, at('dest', own));
  writeLocal(op + COPY_DEST_DOMID, at('destDomid', DOMID_SELF));
  writeLocal(op + COPY_DEST_OFFSET, at('destOffset', 1));
  writeLocal(op + COPY_LEN, at('len', 1));
  writeLocal(op + COPY_FLAGS, at('flags', 0));
  writeLocal(op + COPY_STATUS, 99);
  return op;
}

function copy(fields: Readonly<Record<string, number>>): number {
  const op = fill(0, fields);
  runAlone(gnttabCopy(2, op, 1));
  return now(op + COPY_STATUS);
}

function expectReleased(): void {
  expect([pinOf(ref), pageCount(foreign), typeCount(foreign)]).toEqual([0, 1, 0]);
  expect([pageCount(own), typeCount(own)]).toEqual([1, 0]);
  expect(flagsOf(GRANTER, ref) & (GTF_reading | GTF_writing)).toBe(0);
}

describe('a copy', () => {
  test('out of a grant and into a grant moves the words and releases all', () => {
    expect(copy({ ...outOf, destOffset: 0, len: 2 })).toBe(GNTST_okay);
    expect([now(frameWord(own, 0)), now(frameWord(own, 1))]).toEqual([100, 101]);
    writeLocal(frameWord(own, 0), 7);
    expect(copy({ ...into })).toBe(GNTST_okay);
    expect([now(frameWord(foreign, 0)), now(frameWord(foreign, 1))]).toEqual([100, 7]);
    expectReleased();
  });

  test('refuses what the ABI names', () => {
    expect(copy({ ...outOf, len: 2 })).toBe(GNTST_bad_copy_arg);
    expect(copy({ ...outOf, source: 31 })).toBe(GNTST_bad_gntref);
    expect(copy({ ...outOf, source: -1 })).toBe(GNTST_bad_gntref);
    expect(copy({ ...outOf, sourceDomid: 9 })).toBe(GNTST_bad_domain);
    expect(copy({ sourceDomid: GRANTER })).toBe(GNTST_permission_denied);
    expect(copy({ source: foreign })).toBe(GNTST_bad_page);
    expect(copy({ ...outOf, source: 4 })).toBe(GNTST_general_error);
    expect(copy({ ...outOf, sourceDomid: 9, len: 0 })).toBe(GNTST_okay);
    expect(copy({ dest: m.leaves[MAPPER] as number })).toBe(GNTST_general_error);
    expectReleased();
    grant(GRANTER, ref, foreign, true);
    expect(copy({ ...into })).toBe(GNTST_general_error);
    expectReleased();
  });

  test('a batch keeps its buffers while the same page is named, and goes on after an error', () => {
    const second = dataFrame(GRANTER);
    grant(GRANTER, 4, second);
    fill(0, { ...outOf, destOffset: 0 });
    fill(1, { ...outOf, sourceOffset: 1 });
    fill(2, { ...outOf, source: 30 });
    fill(3, { ...outOf, source: 4 });
    const log = recordOps(gnttabCopy(2, copyOp(0), 4));
    const pins = log.filter(
      (op) => op.kind === WRITE && op.word === ActiveEntry.pin.at2(GRANTER, ref),
    );
    expect(pins.length).toBe(2);
    const statuses = [0, 1, 2, 3].map((n) => now(copyOp(n) + COPY_STATUS));
    expect(statuses).toEqual([GNTST_okay, GNTST_okay, GNTST_bad_gntref, GNTST_okay]);
    expectReleased();
    expect([pinOf(4), pageCount(second)]).toEqual([0, 1]);
  });

  test('drops the pin before the page reference', () => {
    const log = recordOps(gnttabCopy(2, fill(0, outOf), 1));
    const pin = [WRITE, ActiveEntry.pin.at2(GRANTER, ref)];
    expect(inOrder(log, [pin, [FETCH_ADD, PageInfo.countInfo.at(foreign)]])).toBe(true);
  });

  test('into a grant that is pinned for reading refuses another frame than the pinned one', () => {
    const handle = mapNow(0, 5, GNTMAP_host_map | GNTMAP_readonly, ref);
    const other = dataFrame(GRANTER);
    grant(GRANTER, ref, other);
    expect(copy({ ...into })).toBe(GNTST_general_error);
    expect([pageCount(other), pageCount(foreign), pinOf(ref)]).toEqual([1, 2, 0x100]);
    expect(handle).toBe(0);
  });

  test('of a pinned grant of a dying domain is refused', () => {
    mapNow(0, 5, GNTMAP_host_map, ref);
    writeLocal(Domain.isDying.at(GRANTER), 1);
    expect(copy(outOf)).toBe(GNTST_bad_domain);
    expect([pinOf(ref), pageCount(foreign)]).toEqual([1, 2]);
  });
});

function* revokesAndFrees(): Op<void> {
  const ended = yield* revoke(GRANTER, ref);
  writeLocal(GuestWord.value.at(500), ended);
  if (ended === 1) yield* decreaseReservation(0, foreign);
}

describe.each(['sc', 'tso'] as const)('copying under %s', (memory) => {
  /** A copy moves words only while its pages are pinned, marked and not free. */
  function run(actors: Parameters<typeof explore>[1]): void {
    let bad: string | null = null;
    const result = explore(m, actors, {
      memory,
      executions: 200,
      setup: () => {
        bad = null;
      },
      onTrace: (point, source, dest) => {
        if (point !== TRC_GRANT_COPY) return;
        if (now(GuestWord.value.at(500)) === 1) bad = 'I4: a copy after the granter ended it';
        for (const page of [source, dest]) {
          if ((now(PageInfo.countInfo.at(page)) & PGC_state_free) !== 0)
            bad = 'I2: copies a free page';
        }
      },
      invariant: () => bad,
      final: () => (pinOf(ref) === 0 ? null : `I1: pin ${pinOf(ref)}`),
    });
    expect(result.finding).toBeUndefined();
  }

  test('races with the granter’s revoke and reuse', () => {
    boot([2, 3]);
    fill(0, outOf);
    fill(1, into);
    run([
      { name: 'out', v: 2, body: () => gnttabCopy(2, copyOp(0), 1) },
      { name: 'into', v: 3, body: () => gnttabCopy(3, copyOp(1), 1) },
      { name: 'granter', v: -1, body: revokesAndFrees },
    ]);
  });

  test('races with the unmap of the same grant and the frame’s departure', () => {
    boot([2, 3]);
    fillUnmap(0, { hostAddr: 5, handle: mapNow(0, 5, GNTMAP_host_map, ref) });
    fill(0, outOf);
    run([
      { name: 'unmapper', v: 2, body: () => gnttabUnmapGrantRef(2, unmapOp(0), 1) },
      { name: 'copier', v: 3, body: () => gnttabCopy(3, copyOp(0), 1) },
      { name: 'granter', v: -1, body: () => decreaseReservation(0, foreign) },
    ]);
  });
});
