/**
 * Goal: in version 2 a granter that was told "nobody uses it" and a mapper that was let in never
 * meet, although the two write different words and no lock is common to them.
 * Method: a table of refusals; exhaustive races of Xen with a granter that revokes, under SC and
 * with store buffers, where each side's full barrier is needed.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Op } from '../../../src/shared/op.ts';
import { loadAcquire, runAlone, smpMb, write, writeLocal } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { entryHeader, sharedEntryHeader, statusEntry } from '../../../src/xen/grant-table/entry.ts';
import { reduceStatusForPin, setStatus } from '../../../src/xen/grant-table/status.ts';
import {
  GNTST_general_error,
  GNTST_okay,
  GTF_accept_transfer,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_sub_page,
  GTF_transitive,
  GTF_writing,
} from '../../../src/xen/public/grant-table.ts';
import { GRANTER, GuestWord, MAPPER, bootMachine, explore, now } from '../machine.ts';
import type { XenMachine } from '../machine.ts';
import { revokeV2, setVersion, statusOf } from '../version2.ts';

const ref = 3;
const both = GTF_reading | GTF_writing;
const header = (): number => sharedEntryHeader(GRANTER, ref, 2);
const set = (flags: number, domid: number): void => writeLocal(header(), entryHeader(flags, domid));
const call = (readonly: number, mapflag: number): number =>
  runAlone(setStatus(GRANTER, ref, 2, readonly, mapflag, MAPPER));

let m: XenMachine;
beforeEach(() => {
  m = bootMachine();
  expect(setVersion(GRANTER, 2)).toBe(0);
});

describe('setting the status of version 2', () => {
  test('marks the status word and leaves the header alone', () => {
    set(GTF_permit_access, MAPPER);
    expect(call(1, 1)).toBe(GNTST_okay);
    expect(statusOf(GRANTER, ref)).toBe(GTF_reading);
    expect(call(0, 1)).toBe(GNTST_okay);
    expect(statusOf(GRANTER, ref)).toBe(both);
    expect(now(header())).toBe(entryHeader(GTF_permit_access, MAPPER));
  });

  test('refuses what a mapping or a copy must not have', () => {
    const refused: [number, number, number, number][] = [
      [GTF_accept_transfer, MAPPER, 1, 1],
      [0, MAPPER, 1, 0],
      [GTF_permit_access, MAPPER + 1, 1, 0],
      [GTF_permit_access | GTF_readonly, MAPPER, 0, 1],
      [GTF_permit_access | GTF_sub_page, MAPPER, 1, 1],
      [GTF_transitive, MAPPER, 1, 1],
    ];
    for (const [flags, domid, readonly, mapflag] of refused) {
      set(flags, domid);
      expect(call(readonly, mapflag)).toBe(GNTST_general_error);
      expect(statusOf(GRANTER, ref)).toBe(0);
    }
    for (const flags of [GTF_transitive, GTF_permit_access | GTF_sub_page]) {
      set(flags, MAPPER);
      expect(call(0, 0)).toBe(GNTST_okay);
    }
  });

  test('of a pinned entry looks only at the read-only flag', () => {
    set(0, MAPPER + 1);
    writeLocal(ActiveEntry.pin.at2(GRANTER, ref), 0x100);
    writeLocal(statusEntry(GRANTER, ref), GTF_reading);
    expect(call(0, 1)).toBe(GNTST_okay);
    runAlone(reduceStatusForPin(GRANTER, ref, statusEntry(GRANTER, ref), 0));
    set(GTF_readonly, MAPPER);
    expect(call(0, 1)).toBe(GNTST_general_error);
    expect(statusOf(GRANTER, ref)).toBe(GTF_reading);
  });
});

const admitted = (): number => now(GuestWord.value.at(1));
const ended = (): number => now(GuestWord.value.at(2));

function* xen(readonly: number): Op<void> {
  const rc = yield* setStatus(GRANTER, ref, 2, readonly, 1, MAPPER);
  if (rc === GNTST_okay) writeLocal(GuestWord.value.at(1), 1);
}

describe.each(['sc', 'tso'] as const)('against the granter under %s', (memory) => {
  function run(granter: () => Op<unknown>, readonly: number, broken: () => string | null): void {
    const result = explore(
      m,
      [
        { name: 'xen', v: -1, body: () => xen(readonly) },
        { name: 'granter', v: -1, body: granter },
      ],
      { memory, strategy: 'optimal', executions: 5000, final: broken },
    );
    expect(result.finding).toBeUndefined();
    expect(result.exhausted).toBe(true);
  }

  test('revoking and being let in exclude each other', () => {
    set(GTF_permit_access, MAPPER);
    run(
      function* () {
        writeLocal(GuestWord.value.at(2), yield* revokeV2(GRANTER, ref));
      },
      0,
      () => {
        if (admitted() === 1 && ended() === 1) return 'I4: let in after the granter ended it';
        return admitted() === 0 && statusOf(GRANTER, ref) !== 0 ? 'I4: marked for nobody' : null;
      },
    );
  });

  test('making a grant read-only and letting a first writer in exclude each other', () => {
    set(GTF_permit_access, MAPPER);
    writeLocal(ActiveEntry.pin.at2(GRANTER, ref), 0x100);
    writeLocal(statusEntry(GRANTER, ref), GTF_reading);
    run(
      function* () {
        yield* write(header(), entryHeader(GTF_permit_access | GTF_readonly, MAPPER));
        yield* smpMb();
        const status = yield* loadAcquire(statusEntry(GRANTER, ref));
        writeLocal(GuestWord.value.at(2), (status & GTF_writing) === 0 ? 1 : 0);
      },
      0,
      () => {
        if (admitted() === 1 && ended() === 1) return 'I4: writes what became read-only';
        const writing = (statusOf(GRANTER, ref) & GTF_writing) !== 0;
        return writing === (admitted() === 1) ? null : 'I4: GTF_writing without a writer';
      },
    );
  });
});
