/** The numbers of a machine that the native reference needs (bench/native/places.h). */
import {
  ptShift,
  pagesPerDomain,
  ptEntryCount,
  ptFrameCount,
  frameCount,
} from '../src/hardware/params.ts';
import { PtWord } from '../src/hardware/paging.ts';
import { Vcpu } from '../src/hardware/vcpu.ts';
import { M2pOverride, OverrideBucket, OverrideLock } from '../src/linux/designs/m2p-override.ts';
import { PageArray, PageSlot } from '../src/linux/designs/vma-pages.ts';
import { PageLru } from '../src/linux/drivers/page-lru.ts';
import { CurrentMm } from '../src/linux/mm/mm-life.ts';
import { Mm } from '../src/linux/mm/mm.ts';
import { P2m } from '../src/linux/mm/p2m.ts';
import { Page } from '../src/linux/mm/page.ts';
import { Vma } from '../src/linux/mm/vma.ts';
import { VmaNode, VmaSlot } from '../src/linux/mm/vma-tree.ts';
import type { Machine } from '../src/shared/layout.ts';
import { attach } from '../src/shared/layout.ts';
import { RcuReader } from '../src/shared/rcu.ts';
import type { Field } from '../src/shared/table.ts';
import { M2p } from '../src/xen/m2p.ts';

/** Strides that the reference has as constants: the declaration of a table may change. */
const STRIDES: readonly (readonly [Field, number])[] = [
  [Page.refcount, 16],
  [Vma.mm, 16],
  [VmaSlot.start, 3],
  [PageArray.start, 16],
  [OverrideBucket.next, 2],
  [OverrideLock.value, 16],
  [PageLru.next, 2],
  [Vcpu.upcall, 16],
  [RcuReader.section, 16],
];

/**
 * @param machine - booted; its readers are vCPUs of domain 0 in one address space.
 * @returns name and number of each place.
 */
export function nativePlaces(machine: Machine): readonly (readonly [string, number])[] {
  attach(machine);
  for (const [field, stride] of STRIDES) {
    if (field.stride === stride) continue;
    throw new Error(`bench/native: the stride of ${field.name} is ${field.stride}, not ${stride}`);
  }
  const mm = machine.words[CurrentMm.value.at(0)] as number;
  return [
    ['mm', mm],
    ['domain', 0],
    ['pt_shift', ptShift()],
    ['pt_entries', ptEntryCount()],
    ['pt_frames', ptFrameCount()],
    ['frames', frameCount()],
    ['pages_per_domain', pagesPerDomain()],
    ['upcall', Vcpu.upcall.at(0)],
    ['rcu_section', RcuReader.section.at2(0, 0)],
    ['mm_root', Mm.root.at(mm)],
    ['mm_lock_seq', Mm.mmLockSeq.at(mm)],
    ['mm_vma_node', Mm.vmaNode.at(mm)],
    ['pt_word', PtWord.value.word],
    ['m2p', M2p.value.word],
    ['p2m', P2m.value.at2(0, 0)],
    ['page_refcount', Page.refcount.at(0)],
    ['page_private', Page.private.at(0)],
    ['page_lru', PageLru.next.at(0)],
    ['override_bucket', OverrideBucket.next.at2(0, 0)],
    ['override_lock', M2pOverride.lock.at(0)],
    ['override_bucket_lock', OverrideLock.value.at2(0, 0)],
    ['vma_node_count', VmaNode.count.at(0)],
    ['vma_slot_start', VmaSlot.start.at2(0, 0)],
    ['vma_slot_outer', VmaSlot.start.outer],
    ['vma_mm', Vma.mm.at(0)],
    ['vma_start', Vma.vmStart.at(0)],
    ['vma_end', Vma.vmEnd.at(0)],
    ['vma_pages', Vma.pages.at(0)],
    ['vma_refcnt', Vma.vmRefcnt.at(0)],
    ['vma_lock_seq', Vma.vmLockSeq.at(0)],
    ['page_slot', PageSlot.value.at2(0, 0)],
    ['page_slot_outer', PageSlot.value.outer],
    ['page_array_start', PageArray.start.at(0)],
    ['page_array_count', PageArray.count.at(0)],
  ];
}
