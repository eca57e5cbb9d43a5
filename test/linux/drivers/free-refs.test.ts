/**
 * Goal: a grant reference has one owner at a time, and none is lost.
 * Method: random takes and returns against a set; two takers under the explorer, and one that is
 * interrupted by a taker.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Vcpu, UPCALL_MASK, UPCALL_PENDING } from '../../../src/hardware/vcpu.ts';
import { check } from '../../../src/explore/check.ts';
import {
  GNTTAB_LIST_END,
  Gnttab,
  GnttabList,
  getFreeEntry,
  putFreeEntry,
} from '../../../src/linux/drivers/free-refs.ts';
import { ENOSPC } from '../../../src/linux/errno.ts';
import type { Op } from '../../../src/shared/op.ts';
import { awaitEqual, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { gnttabPerFrame } from '../../../src/xen/params.ts';
import { GNTTAB_NR_RESERVED_ENTRIES } from '../../../src/xen/public/grant-table.ts';
import { GRANTER, GRANTER_TASK, bootGuests, explore, now, result } from './guests.ts';

const OTHER = 1;

/** The refs on the free list; it must be as long as the count says and hold no ref twice. */
function freeRefs(): number[] {
  const refs: number[] = [];
  for (let ref = now(Gnttab.freeHead.at(GRANTER)); ref !== GNTTAB_LIST_END;) {
    refs.push(ref);
    if (refs.length > GnttabList.next.count) throw new Error('the free list has a cycle');
    ref = now(GnttabList.next.at2(GRANTER, ref));
  }
  expect(refs.length).toBe(now(Gnttab.freeCount.at(GRANTER)));
  return refs;
}

/** Refs that the guest has from Xen so far. */
function handedOver(): number {
  const frames = now(Gnttab.nrFrames.at(GRANTER));
  const refs = frames * gnttabPerFrame() - GNTTAB_NR_RESERVED_ENTRIES;
  return frames === 0 ? 0 : refs;
}

/** Takes two refs and returns the first. */
function* taker(v: number): Op<void> {
  const first = yield* getFreeEntry(v);
  const second = yield* getFreeEntry(v);
  yield* putFreeEntry(v, first);
  writeLocal(result(v), second);
}

function allThere(): string | null {
  const refs = [...freeRefs(), now(result(GRANTER_TASK)), now(result(OTHER))];
  const total = handedOver();
  return new Set(refs).size === total && refs.length === total ? null : `refs: ${refs.join()}`;
}

describe('free grant references', () => {
  test('are handed out once, never the reserved ones, until none is left', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40)), (commands) => {
        bootGuests();
        const taken: number[] = [];
        const total = GnttabList.next.count - GNTTAB_NR_RESERVED_ENTRIES;
        for (const command of commands) {
          if (command < 26) {
            const ref = runAlone(getFreeEntry(GRANTER_TASK));
            const none = taken.length === total;
            expect(ref).toSatisfy((r: number) => (none ? r === -ENOSPC : !taken.includes(r)));
            if (none) continue;
            expect(ref).toBeGreaterThanOrEqual(GNTTAB_NR_RESERVED_ENTRIES);
            taken.push(ref);
          } else if (taken.length > 0) {
            const [ref] = taken.splice(command % taken.length, 1);
            runAlone(putFreeEntry(GRANTER_TASK, ref as number));
          }
        }
        expect(new Set([...freeRefs(), ...taken]).size).toBe(handedOver());
      }),
      { numRuns: 20 },
    );
  });

  test.each(['sc', 'tso'] as const)('two takers get different ones under %s', (memory) => {
    const machine = bootGuests();
    const tasks = [
      { name: 'a', v: GRANTER_TASK, body: () => taker(GRANTER_TASK) },
      { name: 'b', v: OTHER, body: () => taker(OTHER) },
    ];
    const found = explore(machine, tasks, { memory, executions: 400, final: allThere });
    expect(found.finding).toBeUndefined();
  });

  test('can be taken by an interrupt handler of the same vCPU', () => {
    const machine = bootGuests();
    const upcall = Vcpu.upcall.at(GRANTER_TASK);
    const body = function* (): Op<void> {
      yield* awaitEqual(upcall, UPCALL_PENDING | UPCALL_MASK, UPCALL_PENDING);
      writeLocal(upcall, 0);
      yield* getFreeEntry(GRANTER_TASK);
    };
    writeLocal(upcall, UPCALL_PENDING);
    const found = check({
      machine,
      actors: [
        { name: 'task', body: () => taker(GRANTER_TASK) },
        { name: 'irq', body, interrupts: { actor: 0, word: upcall } },
      ],
      executions: 200,
    });
    expect(found.finding).toBeUndefined();
  });
});
