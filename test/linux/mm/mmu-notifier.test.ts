/**
 * Goal: after a subscription is removed no callback of it runs; one that is inserted while ranges
 * are invalidated waits for them; the list does not change under a walk.
 * Method: gntdev of 3.12 with an open file and no maps is the subscriber: its callback takes the
 * lock of the file, so a lock that is destroyed after the removal shows a callback that is late.
 */
import { describe, expect, test } from 'vitest';
import { M2P_OVERRIDE } from '../../../src/linux/designs/design.ts';
import { Gntdev } from '../../../src/linux/drivers/gntdev/grant-map.ts';
import { gntdevOpen } from '../../../src/linux/drivers/gntdev/file.ts';
import { Mm } from '../../../src/linux/mm/mm.ts';
import {
  MmuInterval,
  NOTIFIER_GNTDEV,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadBegin,
  mmuNotifierInvalidateEnd,
  mmuNotifierInvalidateStart,
} from '../../../src/linux/mm/mmu-notifier.ts';
import { mem } from '../../../src/shared/memory.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, readLocal, runAlone, writeOnce } from '../../../src/shared/operations.ts';
import { bootedMachine, newTask } from './machine.ts';
import { complain, race } from './race.ts';

/** A ticket lock that nobody can take: its holder is gone. */
const DESTROYED = 0x10000;

function scene() {
  const machine = bootedMachine({ design: M2P_OVERRIDE });
  const mm = newTask(0);
  const fd = runAlone(gntdevOpen(0, mm));
  return { machine, mm, fd };
}

function* invalidate(v: number, mm: number): Op<void> {
  yield* mmuNotifierInvalidateStart(v, mm, 2, 4, 1);
  yield* cpuRelax();
  yield* mmuNotifierInvalidateEnd(v, mm, 2, 4);
}

describe.each(['sc', 'tso'] as const)('under %s', (memory) => {
  test('removal waits for callbacks under way', () => {
    const { machine, mm, fd } = scene();
    const subscription = readLocal(Gntdev.notifier.at(fd));
    const lock = Gntdev.spin.at(fd);
    function* remover(): Op<void> {
      yield* mmuIntervalNotifierRemove(1, subscription);
      const held = (mem[lock] as number) >>> 16 !== ((mem[lock] as number) & 0xffff);
      if (held) complain('notifier: a callback runs after the removal');
      yield* writeOnce(lock, DESTROYED);
    }
    const result = race({
      machine,
      memory,
      threads: { 0: () => invalidate(0, mm), 1: remover, 2: () => invalidate(2, mm) },
      final: () => (readLocal(Mm.notifierHead.at(mm)) === -1 ? null : 'list: not empty'),
      executions: 400,
    });
    expect(result.finding).toBeUndefined();
  });

  test('an insertion beside invalidations is in the list afterwards, and a reader waits', () => {
    const { machine, mm, fd } = scene();
    function* inserter(): Op<void> {
      const sub = yield* mmuIntervalNotifierInsert(1, mm, 3, 1, NOTIFIER_GNTDEV, fd);
      yield* mmuIntervalReadBegin(sub);
      const seq = readLocal(MmuInterval.invalidateSeq.at(sub));
      if (seq === readLocal(Mm.invalidateSeq.at(mm))) complain('notifier: read beside its range');
    }
    const result = race({
      machine,
      memory,
      threads: { 0: () => invalidate(0, mm), 1: inserter, 2: () => invalidate(2, mm) },
      final: () => {
        let count = 0;
        let sub = readLocal(Mm.notifierHead.at(mm));
        for (; sub >= 0 && count < 8; sub = readLocal(MmuInterval.next.at(sub))) count++;
        const idle = (readLocal(Mm.invalidateSeq.at(mm)) & 1) === 0;
        return count === 2 && idle ? null : `list: ${count} subscriptions, idle ${idle}`;
      },
      executions: 400,
    });
    expect(result.finding).toBeUndefined();
  });
});

test('the list does not change while subscribers are told', () => {
  const { machine, mm, fd } = scene();
  let heads = new Set<number>();
  function* watcher(): Op<void> {
    yield* mmuNotifierInvalidateStart(0, mm, 2, 4, 1);
    heads = new Set([readLocal(Mm.notifierHead.at(mm))]);
    yield* cpuRelax();
    heads.add(readLocal(Mm.notifierHead.at(mm)));
    if (heads.size > 1) complain('list: changed under an invalidation');
    yield* mmuNotifierInvalidateEnd(0, mm, 2, 4);
  }
  const result = race({
    machine,
    threads: {
      0: watcher,
      1: () => mmuIntervalNotifierInsert(1, mm, 3, 1, NOTIFIER_GNTDEV, fd),
    },
    executions: 300,
  });
  expect(result.finding).toBeUndefined();
});

test('an insertion beside invalidations that met nobody waits for their end too', () => {
  const { machine, mm, fd } = scene();
  runAlone(mmuIntervalNotifierRemove(0, readLocal(Gntdev.notifier.at(fd))));
  function* inserter(): Op<void> {
    const sub = yield* mmuIntervalNotifierInsert(1, mm, 3, 1, NOTIFIER_GNTDEV, fd);
    yield* mmuIntervalReadBegin(sub);
  }
  const result = race({
    machine,
    threads: { 0: () => invalidate(0, mm), 1: inserter },
    final: () => {
      const idle = (readLocal(Mm.invalidateSeq.at(mm)) & 1) === 0;
      return idle ? null : 'notifier: the sequence stays odd';
    },
    executions: 300,
  });
  expect(result.finding).toBeUndefined();
});
