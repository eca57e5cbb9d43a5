/**
 * Goal: the ticket lock excludes, serves in order of tickets, and its halves never mix.
 * Method: ticket arithmetic by property over all words; counters without protection of their own
 * under the lock, in all short interleavings under SC and TSO.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { runAlone } from '../../src/shared/operations.ts';
import {
  OWNER_MASK,
  TICKET,
  isUnlocked,
  serveNext,
  spinIsLocked,
  spinLock,
  spinTrylock,
  spinUnlock,
  ticketOf,
} from '../../src/shared/spinlock.ts';
import { arena, counts, expectBroken, expectSafe, increment, word } from './arena.ts';

const LOCK = 0;
const COUNT = 20;

function* lockedIncrement(): Op<void> {
  yield* spinLock(word(LOCK));
  yield* increment(COUNT);
  yield* spinUnlock(word(LOCK));
}
function* unlockedIncrement(): Op<void> {
  yield* increment(COUNT);
}
function* twice(): Op<void> {
  yield* lockedIncrement();
  yield* lockedIncrement();
}
function* tryIncrement(): Op<void> {
  if ((yield* spinTrylock(word(LOCK))) === 0) return;
  yield* increment(COUNT);
  yield* spinUnlock(word(LOCK));
  yield* spinLock(word(LOCK));
  yield* increment(COUNT + 1);
  yield* spinUnlock(word(LOCK));
}
const nothingLost = (): string | null => {
  const tried = (mem[word(COUNT)] as number) - 1 === mem[word(COUNT + 1)];
  return tried ? null : 'count: an increment was lost';
};

describe('spinlock', () => {
  test('serving a ticket moves the low half only, whatever the word', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const after = (value + serveNext(value)) | 0;
        expect(ticketOf(after)).toBe(ticketOf(value));
        expect(after & OWNER_MASK).toBe((value + 1) & OWNER_MASK);
      }),
      { examples: [[0xffff], [-1], [0x7fffffff]] },
    );
  });

  test('taking a ticket moves the high half only, whatever the word', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const after = (value + TICKET) | 0;
        expect(after & OWNER_MASK).toBe(value & OWNER_MASK);
        expect(ticketOf(after)).toBe((ticketOf(value) + 1) & 0xffff);
      }),
    );
  });

  test('a lock is free after any number of rounds, across the wrap of the tickets', () => {
    arena();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (ticket) => {
        mem[word(LOCK)] = (ticket << 16) | ticket;
        runAlone(spinLock(word(LOCK)));
        expect(runAlone(spinIsLocked(word(LOCK)))).toBe(1);
        expect(runAlone(spinTrylock(word(LOCK)))).toBe(0);
        runAlone(spinUnlock(word(LOCK)));
        expect(runAlone(spinIsLocked(word(LOCK)))).toBe(0);
        expect(isUnlocked(mem[word(LOCK)] as number)).toBe(true);
        expect(runAlone(spinTrylock(word(LOCK)))).toBe(1);
      }),
      { examples: [[0xffff], [0]] },
    );
  });

  test('without the lock an increment is lost, so the following tests can fail', () => {
    const bodies = [unlockedIncrement, lockedIncrement];
    expectBroken('count', { bodies, final: counts(COUNT, 2) });
  });

  test('two holders are never inside together', () => {
    expectSafe({ bodies: [lockedIncrement, twice], final: counts(COUNT, 3) });
  });

  test('three holders are never inside together', () => {
    expectSafe({ bodies: [twice, lockedIncrement, twice], final: counts(COUNT, 5) });
  });

  test('a trylock that succeeds excludes like a lock', () => {
    expectSafe({ bodies: [tryIncrement, lockedIncrement], final: nothingLost });
  });
});
