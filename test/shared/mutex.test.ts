/**
 * Goal: the mutex excludes and complains of a wrong release.
 * Method: unprotected counters under it, in all short interleavings under SC and TSO.
 */
import { describe, expect, test } from 'vitest';
import { BUG_MUTEX_UNBALANCED } from '../../src/shared/bugs.ts';
import { mutexIsLocked, mutexLock, mutexTrylock, mutexUnlock } from '../../src/shared/mutex.ts';
import type { Op } from '../../src/shared/op.ts';
import { runAlone } from '../../src/shared/operations.ts';
import { arena, counts, expectBroken, expectSafe, increment, valueOf, word } from './arena.ts';

const LOCK = 0;
const COUNT = 20;
const TRIED = 21;

function* locked(): Op<void> {
  yield* mutexLock(word(LOCK));
  yield* increment(COUNT);
  yield* mutexUnlock(word(LOCK));
}
function* tried(): Op<void> {
  if ((yield* mutexTrylock(word(LOCK))) === 0) return;
  yield* increment(COUNT);
  yield* increment(TRIED);
  yield* mutexUnlock(word(LOCK));
}
const nothingLost = (): string | null =>
  valueOf(COUNT) === 1 + valueOf(TRIED) ? null : 'count: an increment was lost';

describe('mutex', () => {
  test('holders are never inside together', () => {
    expectSafe({ bodies: [locked, locked], final: counts(COUNT, 2) });
    expectSafe({ bodies: [locked, locked, locked], final: counts(COUNT, 3) });
  });

  test('a trylock that succeeds excludes like a lock', () => {
    expectSafe({ bodies: [locked, tried], final: nothingLost });
  });

  test('says whether it is held', () => {
    arena();
    expect(runAlone(mutexIsLocked(word(LOCK)))).toBe(0);
    runAlone(mutexLock(word(LOCK)));
    expect(runAlone(mutexIsLocked(word(LOCK)))).toBe(1);
    expect(runAlone(mutexTrylock(word(LOCK)))).toBe(0);
    runAlone(mutexUnlock(word(LOCK)));
    expect(runAlone(mutexTrylock(word(LOCK)))).toBe(1);
  });

  test('a release of a free mutex is reported', () => {
    expectBroken(BUG_MUTEX_UNBALANCED, { bodies: [() => mutexUnlock(word(LOCK))] });
  });
});
