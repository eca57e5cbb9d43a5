/**
 * Goal: whoever holds a table's lock for writing is alone with its active entries, and each
 * operation takes the active entry's lock before it looks at the entry.
 * Method: a writer marks the time it holds the lock; any access to an active entry of that table
 * by another actor meanwhile is a finding. Deadlocks are found by the explorer itself.
 */
import { describe, expect, test } from 'vitest';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, writeLocal } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { gnttabCopy } from '../../../src/xen/grant-table/copy.ts';
import { grantWriteLock, grantWriteUnlock } from '../../../src/xen/grant-table/lock.ts';
import { gnttabMapGrantRef } from '../../../src/xen/grant-table/map.ts';
import { gnttabReleaseMappings } from '../../../src/xen/grant-table/release.ts';
import { gnttabUnmapGrantRef } from '../../../src/xen/grant-table/unmap.ts';
import {
  COPY_DEST,
  COPY_DEST_DOMID,
  COPY_FLAGS,
  COPY_LEN,
  COPY_SOURCE,
  GNTCOPY_source_gref,
  GNTMAP_host_map,
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
  fillMap,
  fillUnmap,
  grant,
  mapNow,
  mapOp,
  now,
  unmapOp,
} from '../machine.ts';

const ref = 3;
const marker = (): number => GuestWord.value.at(500);

function* writes(): Op<void> {
  yield* grantWriteLock(GRANTER);
  writeLocal(marker(), 1);
  yield* cpuRelax();
  yield* cpuRelax();
  writeLocal(marker(), 0);
  yield* grantWriteUnlock(GRANTER);
}

const operations: readonly [name: string, prepare: () => void, body: () => Op<unknown>][] = [
  [
    'map',
    () => void fillMap(0, { hostAddr: 5, flags: GNTMAP_host_map, ref }),
    () => gnttabMapGrantRef(2, mapOp(0), 1),
  ],
  [
    'a map that fails late',
    () => void fillMap(0, { hostAddr: 99, flags: GNTMAP_host_map, ref }),
    () => gnttabMapGrantRef(2, mapOp(0), 1),
  ],
  [
    'unmap',
    () => void fillUnmap(0, { hostAddr: 5, handle: mapNow(0, 5, GNTMAP_host_map, ref) }),
    () => gnttabUnmapGrantRef(2, unmapOp(0), 1),
  ],
  [
    'copy',
    () => {
      writeLocal(copyOp(0) + COPY_SOURCE, ref);
      writeLocal(copyOp(0) + COPY_FLAGS, GNTCOPY_source_gref);
      writeLocal(copyOp(0) + COPY_DEST, dataFrame(MAPPER));
      writeLocal(copyOp(0) + COPY_DEST_DOMID, DOMID_SELF);
      writeLocal(copyOp(0) + COPY_LEN, 1);
    },
    () => gnttabCopy(2, copyOp(0), 1),
  ],
  [
    'release at domain death',
    () => void mapNow(0, 5, GNTMAP_host_map, ref),
    () => gnttabReleaseMappings(2, MAPPER),
  ],
];

/** The four words of the active entry; the lock is the last. */
function entryWords(): { first: number; lock: number } {
  return { first: ActiveEntry.pin.at2(GRANTER, ref), lock: ActiveEntry.lock.at2(GRANTER, ref) };
}

describe.each(operations)('%s', (_name, prepare, body) => {
  test.each(['sc', 'tso'] as const)('uses an entry only under both locks (%s)', (memory) => {
    const m = bootMachine({}, [2]);
    grant(GRANTER, ref, dataFrame(GRANTER));
    prepare();
    const { first, lock } = entryWords();
    let bad: string | null = null;
    const result = explore(
      m,
      [
        { name: 'reader', v: 2, body },
        { name: 'writer', v: -1, body: writes },
      ],
      {
        memory,
        setup: () => {
          bad = null;
        },
        onAccess: (_kind, word) => {
          if (word < first || word > lock) return;
          if (now(marker()) === 1)
            bad = 'lock: an entry was used while the table was being written';
          const value = now(lock);
          if (word !== lock && value >>> 16 === (value & 0xffff)) bad = 'lock: entry not locked';
        },
        invariant: () => bad,
      },
    );
    expect(result.finding).toBeUndefined();
  });
});
