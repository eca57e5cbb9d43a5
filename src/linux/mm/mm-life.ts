/**
 * Creation, use and end of address spaces (kernel/fork.c: mm_alloc(), mmput();
 * arch/x86/mm/tlb.c: switch_mm_irqs_off()). The top page table is pgd.ts, the unmapping of all
 * exit-mmap.ts.
 *
 * mm.users  each task that runs in it has one, and who works on another task's address space.
 * mm.count  the record: 1 of all users together, and who keeps it (/proc/pid/mem).
 *
 * Switching: 1. the own bit in the cpumask of the next mm. 2. load cr3. 3. the own bit out of the
 * cpumask of the last. In this order a flush of an mm reaches every vCPU that may hold entries of
 * it.
 */
import { domainOf, kernelBase } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import {
  cmpxchg,
  fetchAdd,
  fetchAnd,
  fetchOr,
  read,
  readLocal,
  readOnce,
  warnOn,
  write,
  writeLocal,
  writeOnce,
} from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { exitAio } from '../fs/aio.ts';
import { mmuextNewBaseptr } from '../../xen/mmu.ts';
import { pageSize } from './address.ts';
import { BUG_MM_USERS, BUG_MMU_UPDATE } from './bugs.ts';
import { exitMmap } from './exit-mmap.ts';
import { mmuNotifierInit } from './mmu-notifier.ts';
import { Mm, NO_MM } from './mm.ts';
import { Kernel, pgdAlloc, pgdFree, xenPgdPin } from './pgd.ts';
import { rootOf } from './pgtable.ts';
import { vmaNodeFree, vmaTreeInit } from './vma-tree.ts';

export const MmPool = defineTable('mm_cache[%]', ['mms'], {
  value: '[GST] bitmap of the address spaces in use (slab.ts)',
});

export const CurrentMm = defineTable('%v.mm', ['vcpus'], {
  value: '[VCPU] address space whose root is in cr3, -1: the kernel alone',
});

/** `current->mm` of the task that runs on a vCPU, NO_MM for a kernel thread. */
export function currentMm(v: number): number {
  return readLocal(CurrentMm.value.at(v));
}

/** Where the heap of a program begins: behind its image, which takes the first quarter. */
function heapStart(): number {
  return (kernelBase() >> 2) * pageSize();
}

/** kernel/fork.c: mm_init(): an empty address space. @returns 0 or -1. */
function* mmInit(v: number, mm: number): Op {
  if ((yield* vmaTreeInit(mm)) < 0) return -1;
  const root = yield* pgdAlloc(v);
  if (root < 0) {
    yield* vmaNodeFree(yield* read(Mm.vmaNode.at(mm)));
    return -1;
  }
  yield* write(Mm.owner.at(mm), domainOf(v));
  writeLocal(Mm.root.at(mm), root);
  writeLocal(Mm.pinned.at(mm), 0);
  yield* write(Mm.mapCount.at(mm), 0);
  yield* write(Mm.rss.at(mm), 0);
  yield* write(Mm.flags.at(mm), 0);
  yield* write(Mm.defFlags.at(mm), 0);
  yield* write(Mm.lockedVm.at(mm), 0);
  yield* write(Mm.startBrk.at(mm), heapStart());
  yield* write(Mm.brk.at(mm), heapStart());
  yield* writeOnce(Mm.cpumask.at(mm), 0);
  yield* writeOnce(Mm.users.at(mm), 1);
  yield* writeOnce(Mm.count.at(mm), 1);
  yield* mmuNotifierInit(mm);
  return 0;
}

/**
 * kernel/fork.c: allocate_mm(), mm_init(): an address space of the vCPU's domain without VMAs,
 * whose root is not pinned yet. @param v - vCPU that runs this. @returns the mm, or NO_MM.
 */
export function* mmAlloc(v: number): Op {
  const mm = yield* slabAlloc(MmPool.value.at(0), MmPool.value.count);
  if (mm < 0) return NO_MM;
  if ((yield* mmInit(v, mm)) === 0) return mm;
  yield* slabFree(MmPool.value.at(0), mm);
  return NO_MM;
}

/**
 * kernel/fork.c: mm_alloc(), and xen_enter_mmap(): an address space that a vCPU can load.
 * @param v - vCPU that runs this. @returns the mm, or NO_MM if there is no memory.
 */
export function* mmCreate(v: number): Op {
  const mm = yield* mmAlloc(v);
  if (mm !== NO_MM) yield* xenPgdPin(v, mm);
  return mm;
}

/** include/linux/sched/mm.h: mmget(). @param mm - address space that cannot end now. */
export function* mmget(mm: number): Op<void> {
  yield* fetchAdd(Mm.users.at(mm), 1);
}

/** include/linux/sched/mm.h: mmget_not_zero(). @returns 1, or 0 if it ends. */
export function* mmgetNotZero(mm: number): Op {
  const word = Mm.users.at(mm);
  let old = yield* readOnce(word);
  while (old !== 0) {
    const seen = yield* cmpxchg(word, old, old + 1);
    if (seen === old) return 1;
    old = seen;
  }
  return 0;
}

/** include/linux/sched/mm.h: mmgrab(): the record stays, not what is mapped. */
export function* mmgrab(mm: number): Op<void> {
  yield* fetchAdd(Mm.count.at(mm), 1);
}

/**
 * include/linux/sched/mm.h: mmdrop(); kernel/fork.c: __mmdrop(): what is left of an address space
 * without VMAs goes with the last who keeps it.
 */
export function* mmdrop(v: number, mm: number): Op<void> {
  if ((yield* fetchAdd(Mm.count.at(mm), -1)) !== 1) return;
  yield* pgdFree(v, rootOf(mm));
  yield* vmaNodeFree(yield* read(Mm.vmaNode.at(mm)));
  yield* slabFree(MmPool.value.at(0), mm);
}

/**
 * kernel/fork.c: mmput(): the last user unmaps all and frees it.
 * @param v - vCPU that runs this. @param mm - if this is the last user, no vCPU has it loaded.
 */
export function* mmput(v: number, mm: number): Op<void> {
  const before = yield* fetchAdd(Mm.users.at(mm), -1);
  warnOn(before <= 0, BUG_MM_USERS, mm, before);
  if (before !== 1) return;
  yield* exitAio(mm);
  yield* exitMmap(v, mm);
  yield* mmdrop(v, mm);
}

/**
 * arch/x86/mm/tlb.c: switch_mm_irqs_off(): the vCPU leaves its address space for another.
 * @param v - vCPU that runs this. @param next - mm of its domain, or NO_MM for the kernel alone.
 */
export function* switchMm(v: number, next: number): Op<void> {
  const last = readLocal(CurrentMm.value.at(v));
  if (last === next) return;
  if (next !== NO_MM) yield* fetchOr(Mm.cpumask.at(next), 1 << v);
  const root = next === NO_MM ? readLocal(Kernel.root.at(domainOf(v))) : rootOf(next);
  const status = yield* mmuextNewBaseptr(v, root);
  warnOn(status < 0, BUG_MMU_UPDATE, root, status);
  writeLocal(CurrentMm.value.at(v), next);
  if (last !== NO_MM) yield* fetchAnd(Mm.cpumask.at(last), ~(1 << v));
}
