/**
 * Goal: the guests' side of a network interface notices payload that is not its sender's and a page
 * that the backend has in use still; netback waits for free slots, and two contexts that complete
 * packets of one connection lose none.
 * Method: single steps on a booted machine with observed assertions; two completers and a taker
 * under random schedules.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { buildMachine, tinySizes } from '../../../src/actors/machine.ts';
import { checksumOf } from '../../../src/actors/payload.ts';
import { checkSlot, endSlot, grantSlot } from '../../../src/actors/programs/netfront.ts';
import { NIC, putSocketCompletion, queueOf, takeCompletion } from '../../../src/actors/storage.ts';
import { NetSlot, TX, netRingOf } from '../../../src/actors/vif.ts';
import { check } from '../../../src/explore/check.ts';
import { BUG_BUFFER_IN_USE, BUG_PAYLOAD } from '../../../src/hardware/bugs.ts';
import { frameWord } from '../../../src/hardware/paging.ts';
import { VMA_PAGES } from '../../../src/linux/designs/design.ts';
import { givePending, takePending } from '../../../src/linux/drivers/netback-pending.ts';
import { allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { pfnToMfn } from '../../../src/linux/mm/p2m.ts';
import { pfnOf } from '../../../src/linux/mm/page.ts';
import { SoloEngine, StuckError } from '../../../src/shared/engine.ts';
import type { Machine } from '../../../src/shared/layout.ts';
import { mem } from '../../../src/shared/memory.ts';
import { silent } from '../../../src/shared/observer.ts';
import type { Op } from '../../../src/shared/op.ts';
import { finish, installEngine, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { GrantEntry } from '../../../src/xen/grant-table/entry.ts';
import { GTF_writing } from '../../../src/xen/public/grant-table.ts';

const SENDER = 4;
const RING = netRingOf(0, TX);
let machine: Machine;
let mfn = 0;

beforeEach(() => {
  machine = buildMachine('vif', {
    ...tinySizes,
    domains: 3,
    vcpusPerDomain: 4,
    frames: 160,
    ptFrames: 48,
    design: VMA_PAGES,
  });
  const pg = runAlone(allocPage(SENDER));
  mfn = runAlone(pfnToMfn(1, pfnOf(pg)));
  runAlone(grantSlot(SENDER, RING, 0, pg, 1));
});

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

describe('netfront', () => {
  test('payload that its sender did not write is noticed', () => {
    writeLocal(frameWord(mfn, 0), 5);
    writeLocal(frameWord(mfn, 1), 7);
    writeLocal(NetSlot.checksum.at2(RING, 0), checksumOf(checksumOf(0, 5), 7));
    expect(bugsOf(() => checkSlot(SENDER, RING, 0))).toEqual([]);
    writeLocal(frameWord(mfn, 1), 8);
    expect(bugsOf(() => checkSlot(SENDER, RING, 0))).toEqual([BUG_PAYLOAD]);
  });

  test('a page that came back and is in use still is noticed', () => {
    const hdr = GrantEntry.hdr.at2(1, mem[NetSlot.ref.at2(RING, 0)] as number);
    const granted = mem[hdr] as number;
    writeLocal(hdr, granted | GTF_writing);
    expect(bugsOf(() => endSlot(SENDER, RING, 0))).toEqual([BUG_BUFFER_IN_USE]);
    writeLocal(hdr, granted);
    expect(bugsOf(() => endSlot(SENDER, RING, 0))).toEqual([]);
  });
});

describe('netback', () => {
  test('a packet waits for a slot that is given back', () => {
    expect(runAlone(takePending(0, 1, 9, RING, 0))).toBe(0);
    expect(runAlone(takePending(0, 1, 9, RING, 1))).toBe(1);
    expect(() => runAlone(takePending(0, 1, 9, RING, 0))).toThrow(StuckError);
    runAlone(givePending(0, 1));
    expect(runAlone(takePending(0, 1, 9, RING, 0))).toBe(1);
  });

  test('two contexts complete packets of one connection, and both are heard', () => {
    const q = queueOf(NIC, 0);
    let heard = 0;
    function* take(): Op<void> {
      heard = yield* takeCompletion(q);
      heard += yield* takeCompletion(q);
    }
    const { finding } = check({
      machine,
      actors: [
        { name: 'ack', body: () => putSocketCompletion(q, 1) },
        { name: 'timer', body: () => putSocketCompletion(q, 2) },
        { name: 'blkback', body: take },
      ],
      final: () => (heard === 3 ? null : `heard ${heard}`),
      strategy: 'random',
      memory: 'tso',
      executions: 200,
      seed: 1,
    });
    expect(finding).toBeUndefined();
  });
});
