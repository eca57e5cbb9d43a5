/**
 * Goal: Xen sets its access bits only together with the flags and domid it checked, gives up on an
 * entry that never stands still, and clears exactly what no pin needs any more.
 * Method: an engine that plays the guest and changes the entry before every compare-and-swap;
 * exhaustive races with a granter; all small pins against a plain model.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { SoloEngine } from '../../../src/shared/engine.ts';
import { CMPXCHG } from '../../../src/shared/kinds.ts';
import { poke } from '../../../src/shared/memory.ts';
import { finish, installEngine, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { GrantEntry, entryHeader } from '../../../src/xen/grant-table/entry.ts';
import {
  STATUS_ATTEMPTS,
  reduceStatusForPin,
  setStatus,
} from '../../../src/xen/grant-table/status.ts';
import {
  GNTST_general_error,
  GNTST_okay,
  GTF_accept_transfer,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_sub_page,
  GTF_writing,
} from '../../../src/xen/public/grant-table.ts';
import { GRANTER, MAPPER, bootMachine, explore, flagsOf, now, publish } from '../machine.ts';
import type { XenMachine } from '../machine.ts';

const ref = 3;
const word = (): number => GrantEntry.hdr.at2(GRANTER, ref);
const set = (flags: number, domid: number): void => writeLocal(word(), entryHeader(flags, domid));

/** A guest that flips an unrelated bit of the entry before each of Xen's attempts. */
class RestlessGuest extends SoloEngine {
  attempts = 0;
  private left: number;
  constructor(changes: number) {
    super();
    this.left = changes;
  }
  override begin(kind: number, at: number, a: number, b: number, c: number): boolean {
    if (kind === CMPXCHG) {
      this.attempts++;
      if (this.left-- > 0) poke(at, now(at) ^ (1 << 9));
    }
    return super.begin(kind, at, a, b, c);
  }
}

function setAgainst(changes: number): { status: number; attempts: number } {
  const guest = new RestlessGuest(changes);
  const before = installEngine(guest);
  try {
    return { status: finish(setStatus(GRANTER, ref, 1, 0, 1, MAPPER)), attempts: guest.attempts };
  } finally {
    installEngine(before);
  }
}

let m: XenMachine;
beforeEach(() => {
  m = bootMachine();
});

describe('setting the status', () => {
  test('takes a restless entry at the fifth attempt and gives up after it', () => {
    for (let changes = 0; changes < 8; changes++) {
      set(GTF_permit_access, MAPPER);
      const { status, attempts } = setAgainst(changes);
      const fits = changes < STATUS_ATTEMPTS;
      expect(status).toBe(fits ? GNTST_okay : GNTST_general_error);
      expect(attempts).toBe(Math.min(changes + 1, STATUS_ATTEMPTS));
      expect(flagsOf(GRANTER, ref) & (GTF_reading | GTF_writing)).toBe(
        fits ? GTF_reading | GTF_writing : 0,
      );
    }
  });

  test('refuses other types, other domains, writers of read-only grants, mapped sub-pages', () => {
    const refused: [number, number, number, number][] = [
      [GTF_accept_transfer, MAPPER, 1, 1],
      [0, MAPPER, 1, 1],
      [GTF_permit_access, MAPPER + 1, 1, 1],
      [GTF_permit_access | GTF_readonly, MAPPER, 0, 1],
      [GTF_permit_access | GTF_sub_page, MAPPER, 1, 1],
    ];
    for (const [flags, domid, readonly, mapflag] of refused) {
      set(flags, domid);
      expect(runAlone(setStatus(GRANTER, ref, 1, readonly, mapflag, MAPPER))).toBe(
        GNTST_general_error,
      );
      expect(flagsOf(GRANTER, ref)).toBe(flags);
    }
    set(GTF_permit_access | GTF_readonly, MAPPER);
    expect(runAlone(setStatus(GRANTER, ref, 1, 1, 1, MAPPER))).toBe(GNTST_okay);
    expect(flagsOf(GRANTER, ref) & GTF_writing).toBe(0);
  });

  test('of a pinned entry looks only at the read-only flag', () => {
    set(0, MAPPER + 1);
    writeLocal(ActiveEntry.pin.at2(GRANTER, ref), 0x100);
    expect(runAlone(setStatus(GRANTER, ref, 1, 0, 1, MAPPER))).toBe(GNTST_okay);
    set(GTF_readonly, MAPPER);
    expect(runAlone(setStatus(GRANTER, ref, 1, 0, 1, MAPPER))).toBe(GNTST_general_error);
  });

  test('races with a granter that turns the grant to another domain: never lets both in', () => {
    for (const memory of ['sc', 'tso'] as const) {
      set(GTF_permit_access, MAPPER);
      const result = explore(
        m,
        [
          {
            name: 'xen',
            v: -1,
            body: function* () {
              writeLocal(
                ActiveEntry.domid.at2(0, 0),
                yield* setStatus(GRANTER, ref, 1, 0, 1, MAPPER),
              );
            },
          },
          { name: 'granter', v: -1, body: () => publish(GRANTER, ref, MAPPER + 1, 40) },
        ],
        {
          memory,
          strategy: 'optimal',
          final: () => {
            const let_in = now(ActiveEntry.domid.at2(0, 0)) === GNTST_okay;
            const marked = (flagsOf(GRANTER, ref) & GTF_reading) !== 0;
            return marked && !let_in ? 'I4: marked for nobody' : null;
          },
        },
      );
      expect(result.finding).toBeUndefined();
      expect(result.exhausted).toBe(true);
    }
  });
});

describe('reducing the status', () => {
  test('clears what no counter of the pin needs', () => {
    const count = fc.nat(2);
    fc.assert(
      fc.property(fc.tuple(count, count, count, count), fc.boolean(), (four, readonly) => {
        const [hstw, hstr, devw, devr] = four;
        const pin = hstw | (hstr << 8) | (devw << 16) | (devr << 24);
        set(GTF_permit_access | GTF_reading | GTF_writing, MAPPER);
        writeLocal(ActiveEntry.pin.at2(GRANTER, ref), pin);
        runAlone(reduceStatusForPin(GRANTER, ref, word(), readonly ? 1 : 0));
        const flags = flagsOf(GRANTER, ref);
        expect((flags & GTF_reading) !== 0).toBe(pin !== 0);
        expect((flags & GTF_writing) !== 0).toBe(readonly || hstw + devw > 0);
        expect(flags & GTF_permit_access).toBe(GTF_permit_access);
      }),
    );
  });
});
