/**
 * Goal: no wake-up is lost between looking at the condition and falling asleep.
 * Method: a sleeper and a waker in all short interleavings under SC and TSO; a lost wake-up is a
 * deadlock. A waker that asks waitqueueActive first needs a barrier: without it TSO loses one.
 */
import { describe, expect, test } from 'vitest';
import type { Op } from '../../src/shared/op.ts';
import { readOnce, runAlone, smpMb, writeOnce } from '../../src/shared/operations.ts';
import {
  finishWait,
  prepareToWait,
  waitForWakeUp,
  waitqueueActive,
  wakeUp,
} from '../../src/shared/wait-queue.ts';
import { arena, expectBroken, expectSafe, valueOf, word } from './arena.ts';

const QUEUE = 0;
const CONDITION = 20;

/** wait_event(queue, condition) */
function* sleeper(): Op<void> {
  for (;;) {
    const seen = yield* prepareToWait(word(QUEUE));
    const condition = yield* readOnce(word(CONDITION));
    if (condition === 0) yield* waitForWakeUp(word(QUEUE), seen);
    yield* finishWait(word(QUEUE));
    if (condition !== 0) return;
  }
}
/** Looks at the condition before it says that it sleeps. */
function* hastySleeper(): Op<void> {
  if ((yield* readOnce(word(CONDITION))) !== 0) return;
  const seen = yield* prepareToWait(word(QUEUE));
  yield* waitForWakeUp(word(QUEUE), seen);
  yield* finishWait(word(QUEUE));
}
function* waker(): Op<void> {
  yield* writeOnce(word(CONDITION), 1);
  yield* wakeUp(word(QUEUE));
}
function* thriftyWaker(fenced: boolean): Op<void> {
  yield* writeOnce(word(CONDITION), 1);
  if (fenced) yield* smpMb();
  if ((yield* waitqueueActive(word(QUEUE))) !== 0) yield* wakeUp(word(QUEUE));
}
const nobodySleeps = (): string | null =>
  (valueOf(QUEUE) & 0xffff) === 0 ? null : 'sleepers: not 0 at the end';

describe('wait queue', () => {
  test('no wake-up is lost', () => {
    expectSafe({ bodies: [sleeper, waker], final: nobodySleeps });
    expectSafe({ bodies: [sleeper, sleeper, waker], final: nobodySleeps });
  });

  test('whoever looks before it prepares sleeps for ever', () => {
    expectBroken('deadlock', { bodies: [hastySleeper, waker] });
  });

  test('waitqueue_active() needs a full barrier before it', () => {
    expectSafe({ bodies: [sleeper, () => thriftyWaker(true)], final: nobodySleeps });
    const unfenced = [sleeper, () => thriftyWaker(false)];
    expectSafe({ bodies: unfenced, memories: ['sc'] });
    expectBroken('deadlock', { bodies: unfenced, memories: ['tso'] });
  });

  test('a wake-up ends every wait that was prepared before it', () => {
    arena();
    const one = runAlone(prepareToWait(word(QUEUE)));
    const other = runAlone(prepareToWait(word(QUEUE)));
    expect(runAlone(waitqueueActive(word(QUEUE)))).toBe(1);
    runAlone(wakeUp(word(QUEUE)));
    runAlone(waitForWakeUp(word(QUEUE), one));
    runAlone(waitForWakeUp(word(QUEUE), other));
    runAlone(finishWait(word(QUEUE)));
    runAlone(finishWait(word(QUEUE)));
    expect(runAlone(waitqueueActive(word(QUEUE)))).toBe(0);
  });
});
