/**
 * The completion of Linux (kernel/sched/completion.c): one side waits until the other has done
 * something, in whichever order they come.
 *
 * word  all:1 | done:30   [ANY]   completions not yet waited for; `all`: waits never block again
 *
 * Ordering: completing is a full barrier, waiting is acquire.
 */
import { awaitNotEqual, cmpxchg, fetchAdd, fetchOr, readOnce, write } from './operations.ts';
import type { Op } from './op.ts';

const COMPLETE_ALL = 0x40000000;

/**
 * kernel/sched/completion.c: complete()
 * @param word - the completion.
 */
export function* complete(word: number): Op<void> {
  yield* fetchAdd(word, 1);
}

/**
 * kernel/sched/completion.c: complete_all()
 * @param word - the completion.
 */
export function* completeAll(word: number): Op<void> {
  yield* fetchOr(word, COMPLETE_ALL);
}

/**
 * kernel/sched/completion.c: wait_for_completion()
 * @param word - the completion.
 */
export function* waitForCompletion(word: number): Op<void> {
  for (;;) {
    const done = yield* awaitNotEqual(word, -1, 0);
    if ((done & COMPLETE_ALL) !== 0) return;
    if ((yield* cmpxchg(word, done, done - 1)) === done) return;
  }
}

/**
 * kernel/sched/completion.c: completion_done()
 * @param word - the completion.
 * @returns 1 if a wait would not block now.
 */
export function* completionDone(word: number): Op {
  return (yield* readOnce(word)) === 0 ? 0 : 1;
}

/**
 * include/linux/completion.h: reinit_completion()
 * @param word - the completion; nobody waits for it or completes it meanwhile.
 */
export function* reinitCompletion(word: number): Op<void> {
  yield* write(word, 0);
}
