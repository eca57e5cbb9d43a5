/**
 * The queue lock of Mellor-Crummey and Scott (ACM TOCS 1991): each thread waits on a word of its
 * own. Thread i has node i + 1; 0 means none.
 *
 * Leaving with no successor in sight: 1. CAS the tail from the own node to 0. 2. If that fails,
 * somebody is about to link itself: wait for the link, then hand over. The wrong version stores 0
 * in the tail instead of 1, and a thread that was about to link itself waits for ever.
 */
import type { Op } from '../../shared/op.ts';
import {
  awaitEqual,
  awaitNotEqual,
  cmpxchg,
  loadAcquire,
  storeRelease,
  writeOnce,
  xchg,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { criticalSection, lockProgram } from './critical-section.ts';

const Tail = defineTable('mcs.tail', [], { value: '[ANY] node of the last in line, 0 if free' });
const Node = defineTable('mcs.node[%]', ['nodes'], {
  next: '[SUCCESSOR] node of who comes next',
  waits: '[OWNER,PREDECESSOR] 1 while it waits',
});

/** Enters once. @param checks - 1: leaves by compare-and-swap, 0: by a store. */
export function* mcsThread(i: number, checks: number): Op<void> {
  const me = i + 1;
  yield* writeOnce(Node.next.at(me), 0);
  yield* writeOnce(Node.waits.at(me), 1);
  const before = yield* xchg(Tail.value.word, me);
  if (before !== 0) {
    yield* storeRelease(Node.next.at(before), me);
    yield* awaitEqual(Node.waits.at(me), -1, 0);
  }
  yield* criticalSection();
  yield* leave(me, checks);
}

function* leave(me: number, checks: number): Op<void> {
  let next = yield* loadAcquire(Node.next.at(me));
  if (next === 0) {
    if (checks === 0) {
      yield* storeRelease(Tail.value.word, 0);
      return;
    }
    if ((yield* cmpxchg(Tail.value.word, me, 0)) === me) return;
    next = yield* awaitNotEqual(Node.next.at(me), -1, 0);
  }
  yield* storeRelease(Node.waits.at(next), 0);
}

const tables = [Tail, Node];
const config = (n: number): { nodes: number } => ({ nodes: n + 1 });

export const mcsLock = lockProgram({
  name: 'mcs-lock',
  about: 'The queue lock of Mellor-Crummey and Scott; each of n threads enters once.',
  tables,
  threads: 3,
  config,
  body: (i) => mcsThread(i, 1),
});
export const mcsLockWrong = lockProgram({
  name: 'mcs-lock-wrong',
  about: 'A queue lock that leaves by a store where a compare-and-swap is needed.',
  tables,
  threads: 2,
  config,
  body: (i) => mcsThread(i, 0),
});
