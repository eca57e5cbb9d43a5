/**
 * Virtual time, the same for the whole machine. Nothing simulated looks at a real clock: time moves
 * when somebody who waits for it has nothing else to do, or when the run's driver moves it.
 *
 * Clock.jiffies   now; one jiffy is a millisecond; wraps at 32 bits   [ANY]   only forward
 */
import { cmpxchg, fetchAdd, readOnce } from './operations.ts';
import type { Op } from './op.ts';
import { defineTable } from './table.ts';

/** Jiffies in a second. */
export const HZ = 1000;

/** The clock of the machine. */
export const Clock = defineTable(
  'clock',
  [],
  { jiffies: '[ANY] now, in milliseconds; wraps' },
  { lineAligned: true },
);

/**
 * include/linux/jiffies.h: time_after_eq()
 * @returns is `a` as late as `b` or later, across the wrap?
 */
export function timeAfterEq(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

/** @returns the time now, in jiffies. */
export function* jiffies(): Op {
  return yield* readOnce(Clock.jiffies.word);
}

/**
 * Lets time pass.
 * @param delta - jiffies.
 * @returns the time before.
 */
export function* advanceClock(delta: number): Op {
  return yield* fetchAdd(Clock.jiffies.word, delta);
}

/**
 * Lets time pass until `due`, if it has not come yet.
 * @param due - in jiffies.
 */
export function* advanceClockTo(due: number): Op<void> {
  let now = yield* readOnce(Clock.jiffies.word);
  while (!timeAfterEq(now, due)) {
    const before = yield* cmpxchg(Clock.jiffies.word, now, due);
    if (before === now) return;
    now = before;
  }
}

/**
 * kernel/time/timer.c: msleep(). What happens meanwhile is the scheduler's choice; afterwards it
 * is later for everybody.
 * @param ms - milliseconds.
 */
export function* msleep(ms: number): Op<void> {
  yield* advanceClockTo(((yield* jiffies()) + ms) | 0);
}
