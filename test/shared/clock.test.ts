/**
 * Goal: virtual time only moves forward, also across its wrap.
 * Method: properties of the comparison; several actors that move the clock at once.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Clock,
  advanceClock,
  advanceClockTo,
  jiffies,
  msleep,
  timeAfterEq,
} from '../../src/shared/clock.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { runAlone, warnOn } from '../../src/shared/operations.ts';
import { BUG_TORN, arena, expectSafe } from './arena.ts';

const half = 0x7fffffff;

function* sleepsTwice(ms: number): Op<void> {
  const before = yield* jiffies();
  yield* msleep(ms);
  const between = yield* jiffies();
  yield* msleep(ms);
  const after = yield* jiffies();
  warnOn(between - before < ms || after - between < ms, BUG_TORN, between, after);
}

describe('clock', () => {
  test('a moment is not before one that lies less than half the range back', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: half }), (now, later) => {
        expect(timeAfterEq((now + later) | 0, now)).toBe(true);
        if (later > 0) expect(timeAfterEq(now, (now + later) | 0)).toBe(false);
      }),
    );
  });

  test('advancing to a moment never moves the clock back', () => {
    arena();
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (now, due) => {
        mem[Clock.jiffies.word] = now;
        runAlone(advanceClockTo(due));
        const after = mem[Clock.jiffies.word] as number;
        expect(after).toBe(timeAfterEq(now, due) ? now : due);
      }),
    );
  });

  test('sleepers sleep at least as long as they asked for, all at once', () => {
    expectSafe({ bodies: [() => sleepsTwice(5), () => sleepsTwice(7), () => sleepsTwice(5)] });
  });

  test('advancing wraps at 32 bits', () => {
    arena();
    mem[Clock.jiffies.word] = half;
    expect(runAlone(advanceClock(2))).toBe(half);
    expect(runAlone(jiffies())).toBe(-half);
  });
});
