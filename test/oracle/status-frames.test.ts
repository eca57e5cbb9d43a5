/**
 * Goal: the oracle sees a status word used without its frame, a freed frame in guest-physical
 * memory, and pins that disagree with the status words of version 2; and nothing of that in lawful
 * changes of version. Method: real hypercalls under the oracle, then single words are spoiled.
 */
import { beforeEach, expect, test } from 'vitest';
import { checkFrames } from '../../src/oracle/invariants/frames.ts';
import { checkPins } from '../../src/oracle/invariants/pins.ts';
import { statusTouched } from '../../src/oracle/invariants/status-frames.ts';
import {
  FRAME_REFERENCE,
  REVOKED_WHILE_PINNED,
  STATUS_FRAME_GONE,
} from '../../src/oracle/violation.ts';
import { poke } from '../../src/shared/memory.ts';
import { runAlone } from '../../src/shared/operations.ts';
import { statusEntry } from '../../src/xen/grant-table/entry.ts';
import { Physmap } from '../../src/xen/physmap.ts';
import { GNTMAP_host_map, GTF_reading } from '../../src/xen/public/grant-table.ts';
import { bootMachine, dataFrame, mapNow } from '../xen/machine.ts';
import { publishV2, setVersion } from '../xen/version2.ts';

let found: number[];
const report = (_actor: number, violation: number): void => {
  found.push(violation);
};

beforeEach(() => {
  bootMachine();
  found = [];
});

test('a status word without its frame must not be used', () => {
  statusTouched(0, statusEntry(1, 3), report);
  expect(found).toEqual([STATUS_FRAME_GONE]);
  expect(setVersion(1, 2)).toBe(0);
  statusTouched(0, statusEntry(1, 3), report);
  expect(found).toEqual([STATUS_FRAME_GONE]);
  expect(setVersion(1, 1)).toBe(0);
  statusTouched(0, statusEntry(1, 3), report);
  expect(found).toEqual([STATUS_FRAME_GONE, STATUS_FRAME_GONE]);
});

test('status frames count as their domain’s, and guest-physical memory names only those', () => {
  setVersion(0, 2);
  checkFrames(report);
  expect(found).toEqual([]);
  poke(Physmap.mfn.at2(0, 1), dataFrame(1));
  checkFrames(report);
  expect(found).toEqual([FRAME_REFERENCE]);
});

test('the status words of version 2 agree with the pins', () => {
  setVersion(0, 2);
  runAlone(publishV2(0, 3, 1, dataFrame(0)));
  mapNow(0, 5, GNTMAP_host_map, 3);
  checkPins(report);
  expect(found).toEqual([]);
  poke(statusEntry(0, 3), GTF_reading);
  checkPins(report);
  expect(found).toEqual([REVOKED_WHILE_PINNED]);
});
