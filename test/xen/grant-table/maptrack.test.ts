/**
 * Goal: every handle below the limit is in exactly one place (on one free list, or held by one
 * caller), whatever is got, put, stolen and grown at once.
 * Method: random histories against a Set of held handles; races of getters, putters and thieves
 * under SC and TSO, counted at the end; the order of the publishing stores by a recorded run.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SMP_WMB, WRITE } from '../../../src/shared/kinds.ts';
import type { Op } from '../../../src/shared/op.ts';
import { read, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { GrantTable } from '../../../src/xen/grant-table/lock.ts';
import {
  INVALID_MAPTRACK_HANDLE,
  MAPTRACK_TAIL,
  Maptrack,
  MaptrackFreelist,
  MaptrackPage,
  getMaptrackHandle,
  putMaptrackHandle,
} from '../../../src/xen/grant-table/maptrack.ts';
import { GuestWord, MAPPER, bootMachine, explore, inOrder, now, recordOps } from '../machine.ts';

const vcpus = [2, 3];

/** What is wrong with the free lists given the handles that are held; null if nothing. */
function misplaced(held: Iterable<number>): string | null {
  const limit = now(GrantTable.maptrackLimit.at(MAPPER));
  const seen = new Set<number>();
  const place = (handle: number, where: string): string | null => {
    if (handle < 0 || handle >= limit) return `places: ${where} has ${handle} of ${limit}`;
    if (seen.has(handle)) return `places: handle ${handle} is in two places (${where})`;
    seen.add(handle);
    return null;
  };
  for (const handle of held) {
    const fault = place(handle, 'a holder');
    if (fault !== null) return fault;
  }
  for (const v of vcpus) {
    const head = now(MaptrackFreelist.head.at(v));
    const tail = now(MaptrackFreelist.tail.at(v));
    let last = MAPTRACK_TAIL;
    for (
      let handle = head;
      handle !== MAPTRACK_TAIL;
      handle = now(Maptrack.ref.at2(MAPPER, handle))
    ) {
      const fault = place(handle, `the list of vCPU ${v}`);
      if (fault !== null) return fault;
      last = handle;
    }
    if (last !== tail) return `places: the list of vCPU ${v} ends at ${last}, its tail is ${tail}`;
  }
  return seen.size === limit ? null : `places: ${limit - seen.size} handles of ${limit} are lost`;
}

describe('maptrack, one caller at a time', () => {
  test('a random history keeps every handle in exactly one place', () => {
    const step = fc.record({ v: fc.constantFrom(2, 3), put: fc.boolean(), which: fc.nat(15) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        bootMachine();
        const held: number[] = [];
        for (const { v, put, which } of steps) {
          if (put && held.length > 0) {
            const [handle] = held.splice(which % held.length, 1);
            runAlone(putMaptrackHandle(v, handle as number));
          } else {
            const handle = runAlone(getMaptrackHandle(v));
            if (handle !== INVALID_MAPTRACK_HANDLE) held.push(handle);
          }
          expect(misplaced(held)).toBeNull();
        }
      }),
      { numRuns: 60 },
    );
  });

  test('all handles but one sentinel a list can be taken, the last ones by stealing', () => {
    bootMachine();
    const held: number[] = [];
    for (const v of [2, 3]) held.push(runAlone(getMaptrackHandle(v)));
    for (;;) {
      const handle = runAlone(getMaptrackHandle(2));
      if (handle === INVALID_MAPTRACK_HANDLE) break;
      held.push(handle);
    }
    expect(held.length).toBe(16 - 2);
    expect(misplaced(held)).toBeNull();
  });

  test('a stolen handle goes home to the thief', () => {
    bootMachine({ maptrackFrames: 1, maptrackPerFrame: 8, maptrackEntries: 8 });
    const own = runAlone(getMaptrackHandle(2));
    const stolen = runAlone(getMaptrackHandle(3));
    expect(now(Maptrack.vcpu.at2(MAPPER, stolen))).toBe(3);
    runAlone(putMaptrackHandle(2, stolen));
    expect(now(MaptrackFreelist.tail.at(3))).toBe(stolen);
    expect(misplaced([own])).toBeNull();
  });

  test('a new page is published pointer, barrier, limit', () => {
    bootMachine();
    const log = recordOps(getMaptrackHandle(2));
    const steps = [
      [WRITE, MaptrackPage.value.at2(MAPPER, 0)],
      [SMP_WMB],
      [WRITE, GrantTable.maptrackLimit.at(MAPPER)],
      [WRITE, MaptrackFreelist.head.at(2)],
    ];
    expect(inOrder(log, steps)).toBe(true);
  });
});

/** Gets `count` handles; keeps the first `keep` of them, puts the others in their order. */
function* getsAndPuts(v: number, count: number, keep: number, slots: number): Op<void> {
  for (let i = 0; i < count; i++) {
    const handle = yield* getMaptrackHandle(v);
    writeLocal(GuestWord.value.at(slots + i), handle);
  }
  for (let i = keep; i < count; i++) {
    const handle = yield* read(GuestWord.value.at(slots + i));
    writeLocal(GuestWord.value.at(slots + i), INVALID_MAPTRACK_HANDLE);
    if (handle !== INVALID_MAPTRACK_HANDLE) yield* putMaptrackHandle(v, handle);
  }
}

function* putsAll(v: number, slots: number, count: number): Op<void> {
  for (let i = 0; i < count; i++) {
    const handle = yield* read(GuestWord.value.at(slots + i));
    writeLocal(GuestWord.value.at(slots + i), INVALID_MAPTRACK_HANDLE);
    yield* putMaptrackHandle(v, handle);
  }
}

function heldInSlots(): number[] {
  const held: number[] = [];
  for (let i = 0; i < 24; i++) {
    const handle = now(GuestWord.value.at(i));
    if (handle !== INVALID_MAPTRACK_HANDLE) held.push(handle);
  }
  return held;
}

function clearSlots(): void {
  for (let i = 0; i < 24; i++) writeLocal(GuestWord.value.at(i), INVALID_MAPTRACK_HANDLE);
}

describe.each(['sc', 'tso'] as const)('maptrack under %s', (memory) => {
  const safely = { memory, executions: 400, final: () => misplaced(heldInSlots()) } as const;

  test('two vCPUs that grow the table at once get pages of their own', () => {
    const m = bootMachine();
    clearSlots();
    const result = explore(
      m,
      [
        { name: 'a', v: -1, body: () => getsAndPuts(2, 3, 1, 0) },
        { name: 'b', v: -1, body: () => getsAndPuts(3, 3, 1, 8) },
      ],
      safely,
    );
    expect(result.finding).toBeUndefined();
  });

  test('thieves, getters and putters lose no handle and give none twice', () => {
    const m = bootMachine({ maptrackFrames: 1, maptrackPerFrame: 8, maptrackEntries: 8 });
    clearSlots();
    runAlone(getsAndPuts(2, 3, 2, 16));
    const result = explore(
      m,
      [
        { name: 'owner', v: -1, body: () => getsAndPuts(2, 2, 1, 0) },
        { name: 'thief', v: -1, body: () => getsAndPuts(3, 2, 0, 8) },
        { name: 'putter', v: -1, body: () => putsAll(2, 16, 2) },
      ],
      safely,
    );
    expect(result.finding).toBeUndefined();
  });

  test('handles put by several at once all arrive on the list', () => {
    const m = bootMachine({ maptrackFrames: 1, maptrackPerFrame: 8, maptrackEntries: 8 });
    clearSlots();
    runAlone(getsAndPuts(2, 4, 4, 16));
    const result = explore(
      m,
      [
        { name: 'a', v: -1, body: () => putsAll(2, 16, 2) },
        { name: 'b', v: -1, body: () => putsAll(3, 18, 2) },
      ],
      safely,
    );
    expect(result.finding).toBeUndefined();
  });
});
