/**
 * Goal: the invariants over the guest's tables (P2M, grant maps, VMA slices) see a disagreement and
 * none in a machine as it boots. Method: the whole tiny machine of a workload; then single words
 * are spoiled.
 */
import { beforeEach, expect, test } from 'vitest';
import { buildMachine, tinySizes } from '../../src/actors/machine.ts';
import { PageArray, PageSlot } from '../../src/linux/designs/vma-pages.ts';
import {
  GrantMap,
  GrantMapBitmap,
  MapKunmapOp,
  MapUnmapOp,
} from '../../src/linux/drivers/gntdev/grant-map.ts';
import { pageOf } from '../../src/linux/mm/page.ts';
import { FOREIGN_FRAME_BIT, INVALID_P2M_ENTRY, P2m } from '../../src/linux/mm/p2m.ts';
import { Vma, VmaPool } from '../../src/linux/mm/vma.ts';
import { checkLiveGrants, checkVmaSlices } from '../../src/oracle/invariants/grant-maps.ts';
import { checkP2m } from '../../src/oracle/invariants/p2m.ts';
import { guestPageFreed } from '../../src/oracle/pages.ts';
import { ShadowRight, oracleDefaults, oracleTables } from '../../src/oracle/shadow.ts';
import {
  FREED_WHILE_GRANTED,
  LIVE_GRANTS,
  P2M_MISMATCH,
  VMA_SLICE,
} from '../../src/oracle/violation.ts';
import { mem, poke } from '../../src/shared/memory.ts';

const VMA_PAGES = 2;
const PFN = 20;
let found: number[];
const report = (_actor: number, violation: number): void => {
  found.push(violation);
};

beforeEach(() => {
  buildMachine('toolstack', { ...tinySizes, ...oracleDefaults, design: VMA_PAGES }, oracleTables);
  found = [];
});

test('p2m: it names the frame that the direct map maps, or nothing where nothing is', () => {
  checkP2m(report);
  expect(found).toEqual([]);
  const word = P2m.value.at2(0, PFN);
  const entry = mem[word] as number;
  poke(word, entry | FOREIGN_FRAME_BIT);
  checkP2m(report);
  expect(found).toEqual([]);
  poke(word, entry + 1);
  checkP2m(report);
  poke(word, INVALID_P2M_ENTRY);
  checkP2m(report);
  expect(found).toEqual([P2M_MISMATCH, P2M_MISMATCH]);
});

test('live grants: a map counts the handles that it holds', () => {
  poke(GrantMapBitmap.value.at(0), 1);
  poke(GrantMap.count.at(0), 1);
  poke(MapUnmapOp.handle.at2(0, 0), 5);
  poke(MapKunmapOp.handle.at2(0, 0), -1);
  poke(GrantMap.liveGrants.at(0), 1);
  checkLiveGrants(report);
  expect(found).toEqual([]);
  poke(GrantMap.liveGrants.at(0), 2);
  checkLiveGrants(report);
  expect(found).toEqual([LIVE_GRANTS]);
});

/** A VMA over the pages [start, end) of array 0, which begins at page 3. */
function forgeVma(vma: number, start: number, end: number): void {
  poke(VmaPool.value.at(0), (mem[VmaPool.value.at(0)] as number) | (1 << vma));
  poke(Vma.vmStart.at(vma), start);
  poke(Vma.vmEnd.at(vma), end);
  poke(Vma.pages.at(vma), PageSlot.value.at2(0, start - 3));
}

test('vma slices: each fits its addresses, and no two share a slot', () => {
  poke(PageArray.start.at(0), 3);
  poke(PageArray.count.at(0), 3);
  forgeVma(0, 3, 4);
  forgeVma(1, 4, 6);
  checkVmaSlices(report);
  expect(found).toEqual([]);
  poke(Vma.pages.at(1), PageSlot.value.at2(0, 0));
  checkVmaSlices(report);
  expect(found).toEqual([VMA_SLICE]);
  forgeVma(1, 3, 4);
  checkVmaSlices(report);
  expect(found).toEqual([VMA_SLICE, VMA_SLICE]);
});

test('a page is freed only when no other domain has a pin on its frame', () => {
  const mfn = mem[P2m.value.at2(1, PFN)] as number;
  poke(ShadowRight.pins.at2(1, mfn), 1);
  guestPageFreed(0, pageOf(1, PFN), report);
  expect(found).toEqual([]);
  poke(ShadowRight.pins.at2(0, mfn), 1);
  guestPageFreed(0, pageOf(1, PFN), report);
  expect(found).toEqual([FREED_WHILE_GRANTED]);
  poke(P2m.value.at2(1, PFN), mfn | FOREIGN_FRAME_BIT);
  guestPageFreed(0, pageOf(1, PFN), report);
  expect(found).toEqual([FREED_WHILE_GRANTED]);
});
