/**
 * Spinlocks on one word or two: the ticket lock (Mellor-Crummey and Scott, 1991; Linux until 4.1)
 * and test-and-test-and-set. They need atomic read-modify-writes; the wrong versions take the lock
 * in two steps.
 */
import type { Op } from '../../shared/op.ts';
import {
  awaitEqual,
  fetchAdd,
  readOnce,
  storeRelease,
  writeOnce,
  xchg,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { criticalSection, lockProgram } from './critical-section.ts';

const Ticket = defineTable('ticket', [], {
  next: '[ANY] the next ticket',
  owner: '[HOLDER] the ticket that is served',
});
const Flag = defineTable('ttas', [], { held: '[ANY] 1 while held' });

/** Takes a ticket, waits, enters, serves the next. @param atomic - 1: takes it in one step. */
export function* ticketThread(atomic: number): Op<void> {
  let mine = 0;
  if (atomic === 1) {
    mine = yield* fetchAdd(Ticket.next.word, 1);
  } else {
    mine = yield* readOnce(Ticket.next.word);
    yield* writeOnce(Ticket.next.word, mine + 1);
  }
  yield* awaitEqual(Ticket.owner.word, -1, mine);
  yield* criticalSection();
  yield* storeRelease(Ticket.owner.word, mine + 1);
}

/** Waits until the flag is clear, sets it, enters. @param atomic - 1: tests and sets at once. */
export function* ttasThread(atomic: number): Op<void> {
  for (;;) {
    yield* awaitEqual(Flag.held.word, -1, 0);
    if (atomic === 0) {
      yield* writeOnce(Flag.held.word, 1);
      break;
    }
    if ((yield* xchg(Flag.held.word, 1)) === 0) break;
  }
  yield* criticalSection();
  yield* storeRelease(Flag.held.word, 0);
}

export const ticketLock = lockProgram({
  name: 'ticket-lock',
  about: 'A ticket lock; each of n threads enters once.',
  tables: [Ticket],
  threads: 3,
  body: () => ticketThread(1),
});
export const ticketLockWrong = lockProgram({
  name: 'ticket-lock-wrong',
  about: 'A ticket lock whose tickets are taken by a load and a store.',
  tables: [Ticket],
  threads: 2,
  body: () => ticketThread(0),
});
export const ttasLock = lockProgram({
  name: 'ttas-lock',
  about: 'A test-and-test-and-set lock; each of n threads enters once.',
  tables: [Flag],
  threads: 3,
  body: () => ttasThread(1),
});
export const ttasLockWrong = lockProgram({
  name: 'ttas-lock-wrong',
  about: 'A test-and-set lock that tests and sets in two steps.',
  tables: [Flag],
  threads: 2,
  body: () => ttasThread(0),
});
