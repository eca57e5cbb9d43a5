/**
 * The words through which one vCPU asks others to flush their TLBs, and how those answer.
 *
 * By Xen (xen/arch/x86/smp.c: flush_area_mask(), invalidate_interrupt()): one request at a time in
 * the machine, under flush_lock.
 *   asker:  1. take the lock. 2. write flushMask. 3. physical IPI to each. 4. wait until flushMask
 *           is 0. 5. release the lock.
 *   asked:  1. flush. 2. clear the own bit of flushMask.
 * By the guest (Linux kernel/smp.c: smp_call_function_many_cond(), and
 * arch/x86/mm/tlb.c: flush_tlb_multi()): any number of requests at a time.
 *   asker:  for each vCPU 1. mark the call busy. 2. add it to the target's queue. 3. IPI if the
 *           queue was empty. Then wait until each call is free.
 *   asked:  1. take the whole queue. 2. for each call flush, then free it (release).
 * Flush first, answer then: the asker frees pages on the answer.
 */
import type { Op } from '../shared/op.ts';
import { fetchAnd, storeRelease, xchg } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { vcpuCount } from './params.ts';
import { tlbFlushLocal } from './tlb.ts';

export const Shootdown = defineTable('xen.shootdown', [], {
  flushLock: '[XEN] 1 while a vCPU has a request under way (flush_lock)',
  flushMask: '[XEN] bit v: vCPU v has not flushed yet (flush_cpumask)',
});

export const CallQueue = defineTable(
  '%v.call_queue',
  ['vcpus'],
  { callers: '[GST] bit v: vCPU v has queued a call (call_single_queue)' },
  { lineAligned: true },
);

export const Call = defineTable('%v.call[%v]', ['vcpus', 'vcpus'], {
  busy: '[GST] 1 from the asker until the asked vCPU is through (CSD_FLAG_LOCK)',
});

/** The physical interrupt handler's part. xen/arch/x86/smp.c: invalidate_interrupt() */
export function* answerFlush(v: number): Op<void> {
  yield* tlbFlushLocal(v);
  yield* fetchAnd(Shootdown.flushMask.word, ~(1 << v));
}

/** The upcall's part. Linux kernel/smp.c: generic_smp_call_function_interrupt() */
export function* answerCalls(v: number): Op<void> {
  const callers = yield* xchg(CallQueue.callers.at(v), 0);
  for (let caller = 0; caller < vcpuCount(); caller++) {
    if (((callers >> caller) & 1) === 0) continue;
    yield* tlbFlushLocal(v);
    yield* storeRelease(Call.busy.at2(caller, v), 0);
  }
}
