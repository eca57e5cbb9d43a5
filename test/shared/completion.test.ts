/**
 * Goal: a wait returns once for each completion, in whichever order they come, and sees what was
 * written before it.
 * Method: waiters and completers in all short interleavings under SC and TSO; a lost completion is
 * a deadlock.
 */
import { describe, expect, test } from 'vitest';
import {
  complete,
  completeAll,
  completionDone,
  reinitCompletion,
  waitForCompletion,
} from '../../src/shared/completion.ts';
import type { Op } from '../../src/shared/op.ts';
import { fetchAdd, read, runAlone, warnOn, write } from '../../src/shared/operations.ts';
import { BUG_TORN, arena, expectBroken, expectSafe, valueOf, word } from './arena.ts';

const DONE = 0;
const RESULT = 20;

function* completer(): Op<void> {
  yield* write(word(RESULT), 42);
  yield* complete(word(DONE));
}
function* completerOfAll(): Op<void> {
  yield* write(word(RESULT), 42);
  yield* completeAll(word(DONE));
}
function* waiter(): Op<void> {
  yield* waitForCompletion(word(DONE));
  const result = yield* read(word(RESULT));
  warnOn(result !== 42, BUG_TORN, result, 42);
}
function* completeOnly(): Op<void> {
  yield* complete(word(DONE));
  yield* fetchAdd(word(RESULT), 1);
}
function* waitOnly(): Op<void> {
  yield* waitForCompletion(word(DONE));
}
const spent = (): string | null => (valueOf(DONE) === 0 ? null : 'done: not 0 at the end');

describe('completion', () => {
  test('a waiter sees what was done before', () => {
    expectSafe({ bodies: [waiter, completer], final: spent });
  });

  test('one completion lets one waiter go', () => {
    expectSafe({ bodies: [waitOnly, waitOnly, completeOnly, completeOnly], final: spent });
    expectBroken('deadlock', { bodies: [waitOnly, waitOnly, completeOnly] });
  });

  test('complete_all() lets everybody go, also those who come later', () => {
    expectSafe({ bodies: [waiter, waiter, completerOfAll] });
    arena();
    runAlone(completeAll(word(DONE)));
    runAlone(complete(word(DONE)));
    runAlone(waitForCompletion(word(DONE)));
    runAlone(waitForCompletion(word(DONE)));
    expect(runAlone(completionDone(word(DONE)))).toBe(1);
    runAlone(reinitCompletion(word(DONE)));
    expect(runAlone(completionDone(word(DONE)))).toBe(0);
  });
});
