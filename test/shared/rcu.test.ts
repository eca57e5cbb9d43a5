/**
 * Goal: a grace period waits for every reader that was there before it, for no later one, and
 * callbacks run after it.
 * Method: a reader follows a pointer to an object, an updater moves the pointer, waits and poisons
 * the object, in many interleavings under SC and TSO; the queue of callbacks by itself.
 */
import { describe, expect, test } from 'vitest';
import { BUG_DEFERRED_FULL } from '../../src/shared/bugs.ts';
import { Deferred, NO_CALL, deferredKind, deferredObject } from '../../src/shared/deferred.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  awaitNotEqual,
  read,
  readOnce,
  runAlone,
  warnOn,
  write,
  writeOnce,
} from '../../src/shared/operations.ts';
import {
  Rcu,
  RcuCallback,
  RcuReader,
  callRcu,
  rcuGracePeriod,
  rcuNextCallback,
  rcuReadLock,
  rcuReadUnlock,
  synchronizeRcu,
} from '../../src/shared/rcu.ts';
import { arena, expectBroken, expectSafe, operationsOf, word } from './arena.ts';

const POINTER = 20;
const OBJECTS = 21;
const POISON = 0x6b6b;
const BUG_POISON = 0x7002;

function* follow(): Op<void> {
  const object = yield* readOnce(word(POINTER));
  const value = yield* read(word(OBJECTS + object));
  warnOn(value === POISON, BUG_POISON, object, value);
}
function* reader(v: number): Op<void> {
  yield* rcuReadLock(v);
  yield* follow();
  yield* rcuReadUnlock(v);
}
function* readsTwice(v: number): Op<void> {
  yield* reader(v);
  yield* reader(v);
}
/** An inner section ends before the outer one, which goes on reading. */
function* nestedReader(v: number): Op<void> {
  yield* rcuReadLock(v);
  const object = yield* readOnce(word(POINTER));
  yield* reader(v);
  const value = yield* read(word(OBJECTS + object));
  warnOn(value === POISON, BUG_POISON, object, value);
  yield* rcuReadUnlock(v);
}
function* updater(v: number): Op<void> {
  yield* writeOnce(word(POINTER), 1);
  yield* synchronizeRcu(v);
  yield* write(word(OBJECTS), POISON);
}
function* hasty(): Op<void> {
  yield* writeOnce(word(POINTER), 1);
  yield* write(word(OBJECTS), POISON);
}
function* defers(v: number): Op<void> {
  yield* writeOnce(word(POINTER), 1);
  yield* callRcu(v, 3, 0);
}
/** The kernel thread: poisons what it is called for. */
function* kernelThread(v: number): Op<void> {
  for (;;) {
    yield* awaitNotEqual(Deferred.pending.at((v / 2) | 0), -1, 0);
    yield* rcuGracePeriod(v);
    for (;;) {
      const call = yield* rcuNextCallback(v);
      if (call === NO_CALL) break;
      if (deferredKind(call) === 3) yield* write(word(OBJECTS + deferredObject(call)), POISON);
    }
  }
}
function* selfish(): Op<void> {
  yield* rcuReadLock(0);
  yield* synchronizeRcu(0);
  yield* rcuReadUnlock(0);
}
function* tooMany(): Op<void> {
  for (let i = 0; i < 5; i++) yield* callRcu(0, 1, i);
}

/** Are the callbacks of both vCPUs in the ring of domain 0? */
function keptBoth(): boolean {
  const objects = [0, 1].map((slot) =>
    deferredObject(mem[RcuCallback.value.at2(0, slot)] as number),
  );
  return mem[Rcu.count.at(0)] === 2 && objects.sort().join() === '0,1';
}

describe('rcu', () => {
  test('without a grace period a reader sees the poison', () => {
    expectBroken(BUG_POISON, { bodies: [() => reader(0), hasty] });
  });

  test('without a read section a reader sees the poison', () => {
    expectBroken(BUG_POISON, { bodies: [follow, () => updater(1)] });
  });

  test('a grace period waits for the readers before it', () => {
    expectSafe({ bodies: [() => reader(0), () => updater(1)] });
    expectSafe({ bodies: [() => readsTwice(0), () => updater(1)] });
  });

  test('an inner section does not end the outer one', () => {
    expectSafe({ bodies: [() => nestedReader(0), () => updater(1)] });
  });

  test('a vCPU that reads nothing may wait; readers of another domain do not delay it', () => {
    arena();
    runAlone(synchronizeRcu(0));
    runAlone(rcuReadLock(2));
    runAlone(synchronizeRcu(0));
    expect(() => runAlone(synchronizeRcu(3))).toThrow('waits for ever');
  });

  test('waiting inside an own section is a deadlock', () => {
    expectBroken('deadlock', { bodies: [selfish] });
  });

  test('sections nest in one word and balance', () => {
    arena();
    const section = RcuReader.section.at2(0, 1);
    runAlone(rcuReadLock(1));
    runAlone(rcuReadLock(1));
    expect(mem[section]).toBe(2);
    runAlone(rcuReadUnlock(1));
    expect(mem[section]).toBe(1);
    runAlone(rcuReadUnlock(1));
    expect(mem[section]).toBe(0x100);
  });

  test('a grace period is a full barrier at both ends', () => {
    arena();
    const kinds = operationsOf(synchronizeRcu(0));
    expect(kinds[0]).toBe('smp_mb');
    expect(kinds.at(-1)).toBe('smp_mb');
  });

  test('a callback runs after the readers before it', () => {
    const daemons = [() => kernelThread(1)];
    expectSafe({ bodies: [() => reader(0), () => defers(1)], daemons });
    expectSafe({ bodies: [() => nestedReader(0), () => defers(1)], daemons });
  });

  test('callbacks of several vCPUs are all kept', () => {
    const bodies = [0, 1].map((v) => () => callRcu(v, 3, v));
    expectSafe({ bodies, final: () => (keptBoth() ? null : 'callbacks: one was lost') });
  });

  test('callbacks come in order, and only after a grace period', () => {
    arena();
    for (let object = 0; object < 3; object++) runAlone(callRcu(2, 5, object));
    expect(mem[Deferred.pending.at(1)]).toBe(3);
    expect(runAlone(rcuNextCallback(3))).toBe(NO_CALL);
    expect(runAlone(rcuGracePeriod(3))).toBe(3);
    runAlone(callRcu(2, 6, 9));
    for (let object = 0; object < 3; object++) {
      const call = runAlone(rcuNextCallback(3));
      expect([deferredKind(call), deferredObject(call)]).toEqual([5, object]);
    }
    expect(runAlone(rcuNextCallback(3))).toBe(NO_CALL);
    expect(runAlone(rcuGracePeriod(3))).toBe(1);
    expect(deferredKind(runAlone(rcuNextCallback(3)))).toBe(6);
    expect(mem[Deferred.pending.at(1)]).toBe(0);
    expect(runAlone(rcuGracePeriod(3))).toBe(0);
  });

  test('more callbacks than fit are reported', () => {
    expectBroken(BUG_DEFERRED_FULL, { bodies: [tooMany] });
  });
});
