/**
 * Goal: devices move what the descriptors say, notice payload that is not its sender's, and hand
 * descriptors back in order; the network stack drops each packet's reference before it reports.
 * Method: descriptors by hand on a booted machine, one turn at a time; observed assertions.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { buildMachine, tinySizes } from '../../../src/actors/machine.ts';
import { checksumOfSeed, payloadWord } from '../../../src/actors/payload.ts';
import { deviceTurn } from '../../../src/actors/programs/device.ts';
import { netstackTurn } from '../../../src/actors/programs/netstack.ts';
import {
  DISK,
  DMA_IN,
  DMA_OUT,
  NIC,
  QueueDevice,
  RECEIVE,
  RETRANSMIT,
  ReceiveWord,
  Sector,
  descriptorOf,
  queueOf,
  ring,
  submit,
  takeCompletion,
} from '../../../src/actors/storage.ts';
import { BUG_PAYLOAD } from '../../../src/hardware/bugs.ts';
import { frameWord } from '../../../src/hardware/paging.ts';
import { VMA_PAGES } from '../../../src/linux/designs/design.ts';
import { allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { Page, getPage, pfnOf } from '../../../src/linux/mm/page.ts';
import { pfnToMfn } from '../../../src/linux/mm/p2m.ts';
import { SoloEngine, StuckError } from '../../../src/shared/engine.ts';
import { mem } from '../../../src/shared/memory.ts';
import { silent } from '../../../src/shared/observer.ts';
import { finish, installEngine, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import type { Op } from '../../../src/shared/op.ts';

const WORDS = 2;
const SEED = 4711;
let pg = 0;
let mfn = 0;

beforeEach(() => {
  buildMachine('block', { ...tinySizes, vcpusPerDomain: 4, design: VMA_PAGES });
  pg = runAlone(allocPage(0));
  mfn = runAlone(pfnToMfn(0, pfnOf(pg)));
  for (let i = 0; i < WORDS; i++) writeLocal(frameWord(mfn, i), payloadWord(SEED, i));
});

const refcount = (): number => mem[Page.refcount.at(pg)] as number;
const q = (): number => queueOf(NIC, 0);
const checksum = (): number => checksumOfSeed(SEED, WORDS);

/** Runs an operation and tells which assertions failed. */
function bugsOf(op: () => Op<unknown>): number[] {
  const bugs: number[] = [];
  const before = installEngine(
    new SoloEngine({ ...silent, bug: (_actor, id) => void bugs.push(id) }),
  );
  try {
    finish(op());
  } finally {
    installEngine(before);
  }
  return bugs;
}

describe('disk', () => {
  test('a page goes out and comes back', () => {
    const queue = queueOf(DISK, 1);
    runAlone(submit(queue, DMA_OUT, -1, mfn, 3, checksum()));
    runAlone(ring(DISK));
    expect(bugsOf(() => deviceTurn(DISK))).toEqual([]);
    expect(runAlone(takeCompletion(queue))).toBe(0);
    expect(mem[Sector.value.at2(3, 1)]).toBe(payloadWord(SEED, 1));
    writeLocal(frameWord(mfn, 1), 0);
    runAlone(submit(queue, DMA_IN, -1, mfn, 3, 0));
    runAlone(ring(DISK));
    runAlone(deviceTurn(DISK));
    expect(mem[frameWord(mfn, 1)]).toBe(payloadWord(SEED, 1));
  });

  test('payload that changed on the way is noticed', () => {
    writeLocal(frameWord(mfn, 1), 1);
    runAlone(submit(queueOf(DISK, 1), DMA_OUT, -1, mfn, 3, checksum()));
    runAlone(ring(DISK));
    expect(bugsOf(() => deviceTurn(DISK))).toEqual([BUG_PAYLOAD]);
  });

  test('a driver waits for a free descriptor', () => {
    const queue = queueOf(DISK, 1);
    for (let i = 0; i < 4; i++) runAlone(submit(queue, DMA_OUT, -1, mfn, 3, checksum()));
    expect(() => runAlone(submit(queue, DMA_OUT, -1, mfn, 3, checksum()))).toThrow(StuckError);
    runAlone(ring(DISK));
    runAlone(deviceTurn(DISK));
    expect(runAlone(submit(queue, DMA_OUT, -1, mfn, 3, checksum()))).toBe(4);
  });
});

describe('network card', () => {
  test('a packet holds its page until the card is through, and is acknowledged after', () => {
    runAlone(getPage(pg));
    runAlone(submit(q(), DMA_OUT, pg, mfn, 2, checksum()));
    runAlone(ring(NIC));
    runAlone(deviceTurn(NIC));
    expect(refcount()).toBe(2);
    expect(() => runAlone(takeCompletion(q()))).toThrow(StuckError);
    runAlone(netstackTurn(2));
    expect(refcount()).toBe(1);
    expect(runAlone(takeCompletion(q()))).toBe(0);
    expect(mem[QueueDevice.freed.at(q())]).toBe(1);
  });

  test('a retransmission outlives the acknowledgement and fetches the page again', () => {
    for (const operation of [DMA_OUT, RETRANSMIT]) {
      runAlone(getPage(pg));
      runAlone(submit(q(), operation, pg, mfn, 2, checksum()));
    }
    runAlone(ring(NIC));
    runAlone(deviceTurn(NIC));
    runAlone(netstackTurn(2));
    expect(runAlone(takeCompletion(q()))).toBe(0);
    expect(refcount()).toBe(2);
    runAlone(netstackTurn(2));
    expect(refcount()).toBe(1);
    expect(() => runAlone(takeCompletion(q()))).toThrow(StuckError);
  });

  test('a retransmission of a page that is another’s by now is noticed, and stores nothing', () => {
    runAlone(submit(q(), RETRANSMIT, -1, mfn, 2, checksum()));
    writeLocal(frameWord(mfn, 0), 99);
    runAlone(ring(NIC));
    expect(bugsOf(() => deviceTurn(NIC))).toEqual([BUG_PAYLOAD]);
    expect(mem[Sector.value.at2(2, 0)]).toBe(0);
  });

  test('a received sector lies in the buffer of its descriptor', () => {
    writeLocal(Sector.value.at2(1, 1), 55);
    const index = runAlone(submit(q(), RECEIVE, -1, 0, 1, 0));
    runAlone(ring(NIC));
    runAlone(deviceTurn(NIC));
    runAlone(netstackTurn(2));
    expect(mem[ReceiveWord.value.at2(descriptorOf(q(), index), 1)]).toBe(55);
  });
});
