/**
 * Goal: delayed work comes out in order of due time, never early, each call once; the kernel
 * thread's pending count is right at every moment.
 * Method: random commands against a sorted array as a model; queuers, a canceller and a kernel
 * thread in many interleavings under SC and TSO.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUG_DEFERRED_FULL } from '../../src/shared/bugs.ts';
import { Clock, advanceClock } from '../../src/shared/clock.ts';
import {
  DEFERRED_OBJECT_MAX,
  Deferred,
  NO_CALL,
  deferredCall,
  deferredKind,
  deferredObject,
} from '../../src/shared/deferred.ts';
import {
  cancelDelayedWork,
  delayOfNextWork,
  nextDueWork,
  queueDelayedWork,
} from '../../src/shared/delayed-work.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { awaitNotEqual, fetchAdd, runAlone } from '../../src/shared/operations.ts';
import { arena, counts, expectBroken, expectSafe, increment, valueOf, word } from './arena.ts';

const CAPACITY = 4;
const RAN = 20;
const QUEUED = 21;
const CANCELLED = 22;

interface Entry {
  readonly call: number;
  readonly due: number;
}

/** The model: calls in the order in which they are due, earlier queued first. */
class Model {
  entries: Entry[] = [];
  now: number;
  constructor(now: number) {
    this.now = now;
  }
  queue(call: number, delay: number): number {
    if (this.entries.some((entry) => entry.call === call)) return 0;
    const due = (this.now + delay) | 0;
    const later = this.entries.findIndex((entry) => ((entry.due - due) | 0) > 0);
    this.entries.splice(later < 0 ? this.entries.length : later, 0, { call, due });
    return 1;
  }
  cancel(call: number): number {
    const before = this.entries.length;
    this.entries = this.entries.filter((entry) => entry.call !== call);
    return before - this.entries.length;
  }
  delay(): number {
    const first = this.entries[0];
    return first === undefined ? -1 : Math.max(0, (first.due - this.now) | 0);
  }
  take(): number {
    return this.delay() === 0 ? (this.entries.shift() as Entry).call : NO_CALL;
  }
}

const command = fc.oneof(
  fc.record({
    name: fc.constant('queue' as const),
    kind: fc.integer({ min: 1, max: 2 }),
    object: fc.integer({ min: 0, max: 1 }),
    delay: fc.integer({ min: 0, max: 6 }),
  }),
  fc.record({
    name: fc.constant('cancel' as const),
    kind: fc.integer({ min: 1, max: 2 }),
    object: fc.integer({ min: 0, max: 1 }),
  }),
  fc.record({ name: fc.constant('take' as const) }),
  fc.record({ name: fc.constant('sleep' as const), ms: fc.integer({ min: 0, max: 4 }) }),
);

function* queuer(delay: number): Op<void> {
  yield* fetchAdd(word(QUEUED), yield* queueDelayedWork(0, 1, 7, delay));
}
function* queueOnly(object: number): Op<void> {
  yield* queueDelayedWork(0, 1, object, 0);
}
function* canceller(): Op<void> {
  yield* fetchAdd(word(CANCELLED), yield* cancelDelayedWork(0, 1, 7));
}
function* fill(): Op<void> {
  for (let object = 0; object <= CAPACITY; object++) yield* queueOnly(object);
}
/** Runs what is due; lets time pass when nothing is. */
function* kernelThread(d: number): Op<void> {
  for (;;) {
    yield* awaitNotEqual(Deferred.pending.at(d), -1, 0);
    const call = yield* nextDueWork(d);
    if (call !== NO_CALL) yield* increment(RAN);
    else yield* advanceClock(Math.max(1, yield* delayOfNextWork(d)));
  }
}
function* takesAll(count: number): Op<void> {
  for (let taken = 0; taken < count;) {
    yield* awaitNotEqual(Deferred.pending.at(0), -1, 0);
    if ((yield* nextDueWork(0)) !== NO_CALL) {
      taken++;
      yield* increment(RAN);
    }
  }
}

/** What was queued is pending, cancelled, made, or in the kernel thread's hands. */
function balanced(): string | null {
  const pending = mem[Deferred.pending.at(0)] as number;
  const inHand = valueOf(QUEUED) - valueOf(CANCELLED) - valueOf(RAN) - pending;
  return inHand === 0 || inHand === 1 ? null : `balance: ${inHand} calls in hand`;
}

describe('delayed work', () => {
  test('a call survives its word', () => {
    const kind = fc.integer({ min: 1, max: 127 });
    const object = fc.integer({ min: 0, max: DEFERRED_OBJECT_MAX });
    fc.assert(
      fc.property(kind, object, (k, o) => {
        const call = deferredCall(k, o);
        expect([deferredKind(call), deferredObject(call)]).toEqual([k, o]);
        expect(call).toBeGreaterThan(NO_CALL);
      }),
    );
  });

  test('behaves like a sorted array of at most its capacity', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(command, { maxLength: 40 }), (now, list) => {
        arena();
        mem[Clock.jiffies.word] = now;
        const model = new Model(now);
        for (const step of list) {
          if (step.name === 'queue') {
            const want = model.queue(deferredCall(step.kind, step.object), step.delay);
            const queued = runAlone(queueDelayedWork(1, step.kind, step.object, step.delay));
            expect(queued).toBe(want);
          } else if (step.name === 'cancel') {
            const want = model.cancel(deferredCall(step.kind, step.object));
            expect(runAlone(cancelDelayedWork(1, step.kind, step.object))).toBe(want);
          } else if (step.name === 'take') {
            expect(runAlone(nextDueWork(1))).toBe(model.take());
          } else {
            runAlone(advanceClock(step.ms));
            model.now = (model.now + step.ms) | 0;
          }
          expect(runAlone(delayOfNextWork(1))).toBe(model.delay());
          expect(mem[Deferred.pending.at(1)]).toBe(model.entries.length);
          expect(mem[Deferred.pending.at(0)]).toBe(0);
        }
      }),
    );
  });

  test('more work than fits is reported, and what is taken makes room', () => {
    expectBroken(BUG_DEFERRED_FULL, { bodies: [fill] });
    arena();
    for (let object = 0; object < 20; object++) {
      runAlone(queueOnly(object));
      expect(deferredObject(runAlone(nextDueWork(0)))).toBe(object);
    }
  });

  test('queued by two at once, a call is made once for each time it was queued', () => {
    const bodies = [() => queuer(0), () => queuer(2)];
    expectSafe({ bodies, daemons: [() => kernelThread(0)], final: balanced });
  });

  test('no call is lost and the kernel thread never sleeps on one', () => {
    const bodies = [() => queueOnly(1), () => queueOnly(2), () => takesAll(2)];
    expectSafe({ bodies, final: counts(RAN, 2) });
  });

  test('a cancelled call either ran before or does not run', () => {
    const bodies = [() => queuer(0), canceller];
    expectSafe({ bodies, daemons: [() => kernelThread(0)], final: balanced });
  });
});
