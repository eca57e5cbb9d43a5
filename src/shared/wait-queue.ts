/**
 * The wait queue of Linux (include/linux/wait.h, kernel/sched/wait.c), reduced to one word.
 *
 * word  wake-ups:16 | sleepers:16   [ANY]
 *
 * Sleeping: 1. prepareToWait: enter (full barrier, as set_current_state() is). 2. test the
 * condition; if it holds, go to 4. 3. waitForWakeUp; go to 1 for the next look, after finishWait.
 * 4. finishWait. Waking: 1. make the condition true. 2. wakeUp. Whoever first asks waitqueueActive,
 * to save the wake-up, needs a full barrier between 1. and the question.
 *
 * A wake-up between 1. and 3. is not lost: the number of wake-ups differs from the one of 1.
 */
import { awaitNotEqual, fetchAdd, readOnce } from './operations.ts';
import type { Op } from './op.ts';

const SLEEPER = 1;
const WAKE_UP = 0x10000;
const SLEEPERS_MASK = 0xffff;

/**
 * kernel/sched/wait.c: prepare_to_wait()
 * @param word - the wait queue.
 * @returns what to give to waitForWakeUp.
 */
export function* prepareToWait(word: number): Op {
  return (yield* fetchAdd(word, SLEEPER)) & ~SLEEPERS_MASK;
}

/**
 * schedule(): sleeps until a wake-up that came after prepareToWait.
 * @param word - the wait queue.
 * @param seen - result of prepareToWait.
 */
export function* waitForWakeUp(word: number, seen: number): Op<void> {
  yield* awaitNotEqual(word, ~SLEEPERS_MASK, seen);
}

/**
 * kernel/sched/wait.c: finish_wait()
 * @param word - the wait queue.
 */
export function* finishWait(word: number): Op<void> {
  yield* fetchAdd(word, -SLEEPER);
}

/**
 * kernel/sched/wait.c: wake_up_all()
 * @param word - the wait queue.
 */
export function* wakeUp(word: number): Op<void> {
  yield* fetchAdd(word, WAKE_UP);
}

/**
 * include/linux/wait.h: waitqueue_active()
 * @param word - the wait queue.
 * @returns 1 if somebody sleeps or is about to.
 */
export function* waitqueueActive(word: number): Op {
  return ((yield* readOnce(word)) & SLEEPERS_MASK) === 0 ? 0 : 1;
}
