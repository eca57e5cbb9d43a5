/**
 * Goal: every status code of the ABI that version 1 operations can return is returned by one.
 * Method: a table of calls, one a code.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { gnttabQuerySize, gnttabSetupTable } from '../../../src/xen/grant-table/setup.ts';
import { memPagingEvict, memPagingResume } from '../../../src/xen/mem-paging.ts';
import * as abi from '../../../src/xen/public/grant-table.ts';
import { DOMID_SELF } from '../../../src/xen/public/xen.ts';
import {
  GRANTER,
  GuestWord,
  MAPPER,
  bootMachine,
  dataFrame,
  grant,
  mapNow,
  mapStatus,
  now,
  unmapStatus,
} from '../machine.ts';

const host = abi.GNTMAP_host_map;
let mfn: number;
beforeEach(() => {
  bootMachine();
  mfn = dataFrame(GRANTER);
  grant(GRANTER, 3, mfn);
});

function setup(dom: number, frames: number, list: number): number {
  const op = GuestWord.value.at(300);
  writeLocal(op + abi.SETUP_DOM, dom);
  writeLocal(op + abi.SETUP_NR_FRAMES, frames);
  writeLocal(op + abi.SETUP_FRAME_LIST, list);
  runAlone(gnttabSetupTable(2, op));
  return now(op + abi.SETUP_STATUS);
}

const cases: readonly [name: string, code: number, call: () => number][] = [
  ['okay', 0, () => mapStatus({ hostAddr: 5, flags: host, ref: 3 })],
  ['general_error', -1, () => mapStatus({ hostAddr: 5, flags: host, ref: 4 })],
  ['bad_domain', -2, () => mapStatus({ hostAddr: 5, flags: host, ref: 3, dom: 7 })],
  ['bad_gntref', -3, () => mapStatus({ hostAddr: 5, flags: host, ref: 16 })],
  ['bad_gntref for no kind of mapping', -3, () => mapStatus({ flags: 0, ref: 3 })],
  ['bad_handle', -4, () => unmapStatus({ hostAddr: 5, handle: 9 })],
  ['bad_virt_addr', -5, () => setup(DOMID_SELF, 1, 0)],
  [
    'bad_dev_addr',
    -6,
    () => unmapStatus({ devBusAddr: 1, handle: mapNow(0, 0, abi.GNTMAP_device_map, 3) }),
  ],
  ['permission_denied', -8, () => setup(GRANTER, 1, GuestWord.value.at(320))],
  [
    'bad_page',
    -9,
    () => {
      grant(GRANTER, 3, dataFrame(MAPPER));
      return mapStatus({ hostAddr: 5, flags: host, ref: 3 });
    },
  ],
  [
    'eagain',
    -12,
    () => {
      runAlone(memPagingEvict(mfn));
      return mapStatus({ hostAddr: 5, flags: host, ref: 3 });
    },
  ],
  [
    'no_space',
    -13,
    () => {
      for (let i = 0; i < 15; i++) mapNow(0, 0, abi.GNTMAP_device_map, 3);
      return mapStatus({ hostAddr: 5, flags: host, ref: 3 });
    },
  ],
];

describe('status codes', () => {
  test.each(cases)('%s (%i) is returned', (_name, code, call) => {
    expect(call()).toBe(code);
  });

  test('a frame that came back can be mapped after GNTST_eagain', () => {
    runAlone(memPagingEvict(mfn));
    expect(mapStatus({ hostAddr: 5, flags: host, ref: 3 })).toBe(abi.GNTST_eagain);
    runAlone(memPagingResume(mfn));
    expect(mapStatus({ hostAddr: 5, flags: host, ref: 3 })).toBe(abi.GNTST_okay);
  });

  test('a table grows to its maximum and not beyond, and says how large it is', () => {
    const list = GuestWord.value.at(320);
    expect(setup(MAPPER, 3, list)).toBe(abi.GNTST_general_error);
    expect(setup(DOMID_SELF, 2, list)).toBe(abi.GNTST_okay);
    expect([now(list), now(list + 1)]).toEqual([0, 1]);
    const op = GuestWord.value.at(310);
    writeLocal(op + abi.QUERY_DOM, MAPPER);
    runAlone(gnttabQuerySize(2, op));
    expect([now(op + abi.QUERY_NR_FRAMES), now(op + abi.QUERY_MAX_NR_FRAMES)]).toEqual([2, 2]);
    writeLocal(op + abi.QUERY_DOM, 9);
    runAlone(gnttabQuerySize(2, op));
    expect(now(op + abi.QUERY_STATUS)).toBe(abi.GNTST_bad_domain);
    expect(setup(9, 1, list)).toBe(abi.GNTST_bad_domain);
  });
});
