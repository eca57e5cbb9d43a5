/**
 * Goal: requests and responses of a channel arrive once and in order, with what was written before
 * they were put; no event is missed; a backend serves its channels in turn.
 * Method: two frontends and their backend on the bare channels, under random schedules, SC and TSO.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  Request,
  notifyBack,
  putRequest,
  requestOf,
  respond,
  takeRequest,
  takeResponse,
} from '../../src/actors/channel.ts';
import { buildMachine, tinySizes } from '../../src/actors/machine.ts';
import { check } from '../../src/explore/check.ts';
import { VMA_PAGES } from '../../src/linux/designs/design.ts';
import type { Machine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { read, runAlone, write } from '../../src/shared/operations.ts';

const sizes = { ...tinySizes, domains: 3, frames: 120, ptFrames: 40, ringSlots: 2 };
const BACK = 0;
const FRONT = [3, 6] as const;
let machine: Machine;
let wrong: string | null;

beforeEach(() => {
  machine = buildMachine('network', { ...sizes, design: VMA_PAGES });
});

/** Two requests, then their responses. */
function* front(v: number, c: number): Op<void> {
  for (let slot = 0; slot < 2; slot++) {
    const r = requestOf(c, slot);
    yield* write(Request.count.at(r), 10 + r);
    yield* putRequest(c, r);
    yield* notifyBack(v, c);
  }
  for (let slot = 0; slot < 2; slot++) {
    const r = yield* takeResponse(v, c);
    if (r !== requestOf(c, slot)) wrong = `response ${r} out of order`;
    if ((yield* read(Request.status.at(r))) !== 100 + r) wrong = `status of ${r} came late`;
  }
}

function* back(v: number): Op<void> {
  for (let i = 0; i < 4; i++) {
    const r = yield* takeRequest(v);
    if ((yield* read(Request.count.at(r))) !== 10 + r) wrong = `request ${r} came late`;
    yield* respond(v, r, 100 + r);
  }
}

describe('channel', () => {
  test.each(['sc', 'tso'] as const)('everything arrives, once and in order: %s', (memory) => {
    const { finding } = check({
      machine,
      setup: () => {
        wrong = null;
      },
      actors: [
        { name: 'front 0', body: () => front(FRONT[0], 0) },
        { name: 'front 1', body: () => front(FRONT[1], 1) },
        { name: 'back', body: () => back(BACK) },
      ],
      final: () => wrong,
      strategy: 'random',
      memory,
      executions: 400,
      seed: 1,
    });
    expect(finding).toBeUndefined();
  });

  test('a backend takes from its channels in turn', () => {
    for (const c of [0, 1]) {
      for (const slot of [0, 1]) runAlone(putRequest(c, requestOf(c, slot)));
    }
    const taken = [0, 1, 2, 3].map(() => runAlone(takeRequest(BACK)));
    expect(taken).toEqual([2, 0, 3, 1]);
  });

  test('an event that came before the wait is not waited for', () => {
    runAlone(putRequest(0, 0));
    runAlone(notifyBack(FRONT[0], 0));
    expect(runAlone(takeRequest(BACK))).toBe(0);
    runAlone(respond(BACK, 0, 7));
    expect(runAlone(takeResponse(FRONT[0], 0))).toBe(0);
    expect(mem[Request.status.at(0)]).toBe(7);
  });
});
