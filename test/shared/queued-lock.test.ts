/**
 * Goal: the MCS lock excludes, hands over, and loses nobody between the tail and the link.
 * Method: unprotected counters under the lock in all short interleavings under SC and TSO; a lost
 * waiter shows as a deadlock.
 */
import { describe, expect, test } from 'vitest';
import type { Op } from '../../src/shared/op.ts';
import { QUEUED_NODE_WORDS, mcsSpinLock, mcsSpinUnlock } from '../../src/shared/queued-lock.ts';
import { arena, counts, expectSafe, increment, operationsOf, valueOf, word } from './arena.ts';

const LOCK = 0;
const NODES = 2;
const COUNT = 20;

function* locked(node: number): Op<void> {
  const mine = word(NODES) + node * QUEUED_NODE_WORDS;
  yield* mcsSpinLock(word(LOCK), mine);
  yield* increment(COUNT);
  yield* mcsSpinUnlock(word(LOCK), mine);
}
function* lockedTwice(node: number): Op<void> {
  yield* locked(node);
  yield* locked(node);
}
const emptyTail = (): string | null => (valueOf(LOCK) === 0 ? null : 'tail: not empty');

describe('queued lock', () => {
  test('two holders are never inside together, and nobody waits for ever', () => {
    const bodies = [() => lockedTwice(0), () => lockedTwice(1)];
    expectSafe({ bodies, final: counts(COUNT, 4) });
  });

  test('three holders are never inside together', () => {
    const bodies = [() => lockedTwice(0), () => locked(1), () => locked(2)];
    expectSafe({ bodies, final: counts(COUNT, 4) });
  });

  test('is free again when the last has left', () => {
    expectSafe({ bodies: [() => locked(0), () => locked(1)], final: emptyTail });
  });

  test('takes a free lock with one exchange, and gives it back with one', () => {
    arena();
    expect(operationsOf(mcsSpinLock(word(LOCK), word(NODES)))).toEqual([
      'write_once',
      'write_once',
      'xchg',
    ]);
    expect(operationsOf(mcsSpinUnlock(word(LOCK), word(NODES)))).toEqual(['read_once', 'cmpxchg']);
  });
});
