/**
 * Goal: an event sent is never lost between sender, mask and receiver; a port is connected, closed
 * and connected again without anybody reaching the wrong end.
 * Method: single calls for states and errors; races of sending with unmasking, handling, closing
 * and binding under the explorer.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { UPCALL_PENDING, Vcpu } from '../../src/hardware/vcpu.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  awaitNotEqual,
  fetchAdd,
  fetchAnd,
  runAlone,
  writeLocal,
  xchg,
} from '../../src/shared/operations.ts';
import {
  Evtchn,
  evtchnAllocUnbound,
  evtchnBindInterdomain,
  evtchnBindVcpu,
  evtchnClose,
  evtchnSend,
  evtchnUnmask,
} from '../../src/xen/event-channel.ts';
import {
  EVTCHNSTAT_closed,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_unbound,
} from '../../src/xen/public/event-channel.ts';
import {
  VcpuInfo,
  evtchnBit,
  evtchnIsMasked,
  evtchnMask,
  evtchnPendingWord,
  evtchnTestAndClearPending,
} from '../../src/xen/shared-info.ts';
import { GuestWord, bootMachine, explore, now } from './machine.ts';
import type { XenMachine } from './machine.ts';

let m: XenMachine;
let front: number;
let back: number;
beforeEach(() => {
  m = bootMachine();
  front = runAlone(evtchnAllocUnbound(0, 1));
  back = runAlone(evtchnBindInterdomain(2, 0, front));
  runAlone(evtchnTestAndClearPending(1, back));
  writeLocal(VcpuInfo.pendingSel.at(2), 0);
  writeLocal(Vcpu.upcall.at(2), 0);
});

const pending = (): boolean => (now(evtchnPendingWord(1, back)) & evtchnBit(back)) !== 0;
const upcall = (v: number): boolean => (now(Vcpu.upcall.at(v)) & UPCALL_PENDING) !== 0;
const state = (d: number, port: number): number => now(Evtchn.state.at2(d, port));

describe('a port', () => {
  test('pends the other end and the upcall of the vCPU it is bound to', () => {
    expect(runAlone(evtchnSend(0, front))).toBe(0);
    expect([pending(), upcall(2), upcall(3)]).toEqual([true, true, false]);
    runAlone(evtchnTestAndClearPending(1, back));
    writeLocal(VcpuInfo.pendingSel.at(2), 0);
    expect(runAlone(evtchnBindVcpu(2, back, 3))).toBe(0);
    runAlone(evtchnSend(0, front));
    expect(upcall(3)).toBe(true);
    expect(runAlone(evtchnBindVcpu(2, back, 0))).toBeLessThan(0);
  });

  test('that is masked pends only its bit until it is unmasked', () => {
    runAlone(evtchnMask(1, back));
    expect(runAlone(evtchnIsMasked(1, back))).toBe(1);
    runAlone(evtchnSend(0, front));
    expect([pending(), upcall(2)]).toEqual([true, false]);
    expect(runAlone(evtchnUnmask(2, back))).toBe(0);
    expect(upcall(2)).toBe(true);
  });

  test('refuses wrong ports, wrong domains, and a second binding', () => {
    expect(runAlone(evtchnSend(0, 0))).toBeLessThan(0);
    expect(runAlone(evtchnSend(0, 9))).toBeLessThan(0);
    expect(runAlone(evtchnBindInterdomain(2, 0, front))).toBeLessThan(0);
    expect(runAlone(evtchnBindInterdomain(2, 7, front))).toBeLessThan(0);
    const other = runAlone(evtchnAllocUnbound(0, 0));
    expect(runAlone(evtchnBindInterdomain(2, 0, other))).toBeLessThan(0);
    expect(runAlone(evtchnSend(0, other))).toBe(0);
    for (let i = 0; i < 40; i++) runAlone(evtchnAllocUnbound(0, 1));
    expect(runAlone(evtchnAllocUnbound(0, 1))).toBeLessThan(0);
  });

  test('that is closed leaves the other end unbound, to be bound again', () => {
    expect(runAlone(evtchnClose(2, back))).toBe(0);
    expect([state(1, back), state(0, front)]).toEqual([EVTCHNSTAT_closed, EVTCHNSTAT_unbound]);
    expect(runAlone(evtchnClose(2, back))).toBeLessThan(0);
    expect(runAlone(evtchnBindInterdomain(2, 0, front))).toBe(back);
    expect(pending()).toBe(true);
    expect(runAlone(evtchnClose(0, front))).toBe(0);
    expect(runAlone(evtchnClose(2, back))).toBe(0);
  });
});

/** The upcall's work: select words, clear the pending bit. Runs until it has seen an event. */
function* handles(): Op<void> {
  for (;;) {
    yield* awaitNotEqual(Vcpu.upcall.at(2), UPCALL_PENDING, 0);
    yield* fetchAnd(Vcpu.upcall.at(2), ~UPCALL_PENDING);
    yield* xchg(VcpuInfo.pendingSel.at(2), 0);
    if ((yield* evtchnTestAndClearPending(1, back)) === 1) return;
  }
}

describe.each(['sc', 'tso'] as const)('events under %s', (memory) => {
  test('an event that is sent while the port is unmasked reaches its handler', () => {
    runAlone(evtchnMask(1, back));
    const result = explore(
      m,
      [
        { name: 'sender', v: -1, body: () => evtchnSend(0, front) },
        { name: 'unmasker', v: -1, body: () => evtchnUnmask(3, back) },
        { name: 'handler', v: -1, body: handles },
      ],
      { memory, strategy: 'optimal', executions: 3000 },
    );
    expect(result.finding).toBeUndefined();
  });

  test('closing both ends at once, while sending, leaves no end connected to nothing', () => {
    const result = explore(
      m,
      [
        { name: 'a', v: -1, body: () => evtchnClose(0, front) },
        { name: 'b', v: -1, body: () => evtchnClose(2, back) },
        { name: 'sender', v: -1, body: () => evtchnSend(1, front) },
      ],
      {
        memory,
        final: () => {
          const ends = [state(0, front), state(1, back)];
          const half = ends.filter((end) => end === EVTCHNSTAT_interdomain).length === 1;
          return half ? `ends: ${ends.join()}` : null;
        },
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('two binders of one port: one gets it', () => {
    const free = runAlone(evtchnAllocUnbound(0, 1));
    const result = explore(
      m,
      [2, 3].map((v) => ({
        name: `v${v}`,
        v: -1,
        body: function* () {
          const port = yield* evtchnBindInterdomain(v, 0, free);
          if (port > 0) yield* fetchAdd(GuestWord.value.at(0), 1);
        },
      })),
      { memory, final: () => (now(GuestWord.value.at(0)) === 1 ? null : 'bound twice or never') },
    );
    expect(result.finding).toBeUndefined();
  });
});
