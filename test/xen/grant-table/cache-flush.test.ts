/**
 * Goal: GNTTABOP_cache_flush maintains frames of the caller and frames that it has a grant mapping
 * of, and refuses all others. Method: two domains; grants are pinned by hand, single calls.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { CacheLine, LINE_CLEAN, LINE_DIRTY, LINE_INVALID } from '../../../src/hardware/cache.ts';
import { frameWord } from '../../../src/hardware/paging.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../../src/hardware/tables.ts';
import { createMachine } from '../../../src/shared/layout.ts';
import { mem } from '../../../src/shared/memory.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { isUnlocked } from '../../../src/shared/spinlock.ts';
import { sharedDefaults, sharedTables } from '../../../src/shared/tables.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import {
  GNTTAB_CACHE_CLEAN,
  GNTTAB_CACHE_INVAL,
  gnttabCacheFlush,
} from '../../../src/xen/grant-table/cache-flush.ts';
import { populatePhysmap } from '../../../src/xen/memory.ts';
import { ZONE_DATA } from '../../../src/xen/page-alloc.ts';
import { PageInfo } from '../../../src/xen/page-info.ts';
import { XEN_EINVAL, XEN_ENOSYS, XEN_EPERM } from '../../../src/xen/public/xen.ts';
import { bootXen, xenDefaults, xenTables } from '../../../src/xen/tables.ts';

const CALLER = 2;
const REF = 9;
let own: number;
let foreign: number;

function boot(cacheFlush: number): void {
  const config = {
    ...sharedDefaults,
    ...hardwareDefaults,
    ...xenDefaults,
    nonCoherent: 1,
    cacheFrames: hardwareDefaults.frames,
    cacheFlush,
  };
  createMachine([...sharedTables, ...hardwareTables, ...xenTables], config);
  bootHardware(config);
  bootXen(config);
  own = runAlone(populatePhysmap(CALLER, 1, 0, ZONE_DATA));
  foreign = runAlone(populatePhysmap(0, 0, 0, ZONE_DATA));
  for (const mfn of [own, foreign]) {
    writeLocal(CacheLine.state.at2(mfn, 1), LINE_DIRTY);
    writeLocal(CacheLine.value.at2(mfn, 1), 7);
  }
}

/** As if the caller had the foreign frame mapped. */
function pin(d: number): void {
  writeLocal(ActiveEntry.pin.at2(0, REF), 1);
  writeLocal(ActiveEntry.domid.at2(0, REF), d);
  writeLocal(ActiveEntry.mfn.at2(0, REF), foreign);
}

const flush = (mfn: number, op: number, offset = 1, length = 1): number =>
  runAlone(gnttabCacheFlush(CALLER, mfn, offset, length, op));
const state = (mfn: number): number => mem[CacheLine.state.at2(mfn, 1)] as number;

beforeEach(() => boot(1));

describe('a cache flush', () => {
  test('of an own frame needs no grant', () => {
    expect(flush(own, GNTTAB_CACHE_CLEAN)).toBe(0);
    expect(state(own)).toBe(LINE_CLEAN);
    expect(mem[frameWord(own, 1)]).toBe(7);
  });

  test('of a foreign frame needs a mapping of the caller', () => {
    const count = mem[PageInfo.countInfo.at(foreign)];
    expect(flush(foreign, GNTTAB_CACHE_INVAL)).toBe(-XEN_EINVAL);
    pin(0);
    expect(flush(foreign, GNTTAB_CACHE_INVAL)).toBe(-XEN_EINVAL);
    expect(state(foreign)).toBe(LINE_DIRTY);
    pin(1);
    expect(flush(foreign, GNTTAB_CACHE_INVAL)).toBe(0);
    expect(state(foreign)).toBe(LINE_INVALID);
    expect(mem[PageInfo.countInfo.at(foreign)]).toBe(count);
    expect(isUnlocked(mem[ActiveEntry.lock.at2(0, REF)] as number)).toBe(true);
  });

  test('of a range or operation that does not exist is refused, of nothing is done', () => {
    expect(flush(own, GNTTAB_CACHE_CLEAN, 1, hardwareDefaults.frameWords)).toBe(-XEN_EINVAL);
    expect(flush(own, 8)).toBe(-XEN_EINVAL);
    expect(flush(hardwareDefaults.frames, GNTTAB_CACHE_CLEAN)).toBe(-XEN_EINVAL);
    expect(flush(hardwareDefaults.frames - 1, GNTTAB_CACHE_CLEAN)).toBe(-XEN_EPERM);
    expect(flush(own, 0)).toBe(0);
    expect(state(own)).toBe(LINE_DIRTY);
  });

  test('is unknown to older hypervisors', () => {
    boot(0);
    expect(flush(own, GNTTAB_CACHE_CLEAN)).toBe(-XEN_ENOSYS);
  });
});
