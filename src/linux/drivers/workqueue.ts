/**
 * The domain's kernel thread: kernel/workqueue.c, kernel/time/timer.c and the RCU thread in one. It
 * runs on the last vCPU of the domain and makes the calls that others deferred.
 *
 * Time is virtual: when nothing is due yet, the thread lets the others go first (cpu_relax) and
 * then the clock run to the first due time.
 * One thread runs all work of a domain, so work must not wait for other work.
 */
import { domainOf } from '../../hardware/params.ts';
import { advanceClock } from '../../shared/clock.ts';
import { Deferred, NO_CALL, deferredKind, deferredObject } from '../../shared/deferred.ts';
import { delayOfNextWork, nextDueWork } from '../../shared/delayed-work.ts';
import type { Op } from '../../shared/op.ts';
import { awaitNotEqual, cpuRelax } from '../../shared/operations.ts';
import { rcuGracePeriod, rcuNextCallback } from '../../shared/rcu.ts';
import { runRcuCallback } from '../mm/rcu-callbacks.ts';
import { gnttabHandleDeferred } from './deferred-grants.ts';
import { gnttabUnmapWork } from './gntdev/today/unmap-data.ts';
import { WORK_DEFERRED_GRANTS, WORK_UNMAP_REFS } from './work-kinds.ts';

/** Makes a deferred call. @param call - what nextDueWork gave. */
function* runWork(v: number, call: number): Op<void> {
  switch (deferredKind(call)) {
    case WORK_UNMAP_REFS:
      yield* gnttabUnmapWork(v, deferredObject(call));
      break;
    case WORK_DEFERRED_GRANTS:
      yield* gnttabHandleDeferred(v);
      break;
    default:
      break;
  }
}

/**
 * Makes all calls that are due, and those whose grace period can pass.
 * @param v - vCPU of the domain's kernel thread.
 * @returns calls that were made.
 */
export function* runDeferred(v: number): Op {
  let made = 0;
  for (;;) {
    const call = yield* nextDueWork(domainOf(v));
    if (call === NO_CALL) break;
    yield* runWork(v, call);
    made++;
  }
  if ((yield* rcuGracePeriod(v)) > 0) {
    for (;;) {
      const call = yield* rcuNextCallback(v);
      if (call === NO_CALL) break;
      yield* runRcuCallback(v, deferredKind(call), deferredObject(call));
      made++;
    }
  }
  return made;
}

/**
 * One turn of the kernel thread: waits for something deferred, lets time pass if it must, and
 * makes the calls.
 * @param v - its vCPU.
 */
export function* kernelThreadTurn(v: number): Op<void> {
  const d = domainOf(v);
  yield* awaitNotEqual(Deferred.pending.at(d), -1, 0);
  if ((yield* runDeferred(v)) > 0) return;
  yield* cpuRelax();
  const delay = yield* delayOfNextWork(d);
  if (delay > 0) yield* advanceClock(delay);
}

/** The kernel thread. @param v - its vCPU. */
export function* kernelThread(v: number): Op<void> {
  for (;;) yield* kernelThreadTurn(v);
}
