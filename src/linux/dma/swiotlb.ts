/**
 * swiotlb: bounce buffers for pages that a device cannot reach (lib/swiotlb.c of Linux 3.12;
 * kernel/dma/swiotlb.c later).
 *
 * The pool is a run of pages with consecutive frames, in slots of half a page (IO_TLB_SHIFT 11).
 *   IoTlbSlot.list   free slots from this one on to the end of its segment, 0 if it is taken
 *   IoTlbSlot.orig   physical address that the slot stands for, -1 if none; of who has the slot
 * A search begins at `index`, where the last one ended, takes the first run that is long enough,
 * and counts the free slots before it anew. Freeing merges with the free slots after and before.
 * The lock protects list and index; the copying is outside of it.
 *
 * A physical address is a page of the domain, in words: pfn * frameWords + offset.
 * Not modelled: the device's segment boundary, which no device here has; slots of 2.6 areas.
 */
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf, frameWordCount, kernelBase } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { BUG_DMA_BOUNCE } from '../drivers/bugs.ts';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from './address.ts';

/** IO_TLB_SEGSIZE: no run of slots goes beyond such a boundary. */
export const IO_TLB_SEGSIZE = 128;
/** SWIOTLB_MAP_ERROR, INVALID_PHYS_ADDR */
export const NO_PHYS = -1;

export const IoTlb = defineTable(
  'io_tlb[d%]',
  ['domains'],
  {
    lock: '[GST] io_tlb_lock: spinlock, upcalls masked',
    index: '[GST] io_tlb_index: where the next search begins; under lock',
    startPfn: '[BOOT] first page of the pool',
    pages: '[BOOT] pages of the pool, 0 without one',
  },
  { lineAligned: true },
);

export const IoTlbSlot = defineTable('io_tlb[d%].slot[%]', ['domains', 'ioTlbSlots'], {
  list: '[GST] io_tlb_list: free slots from here on in the segment; under io_tlb_lock',
  orig: '[GST] io_tlb_orig_addr: what the slot stands for; of the holder of the slot',
});

/** 1 << IO_TLB_SHIFT in words: half a page, as 2 KiB of 4. */
export function slotWords(): number {
  return Math.max(1, frameWordCount() >> 1);
}

/** Slots that a range takes. @param size - words. */
function slotsFor(size: number): number {
  return ((size + slotWords() - 1) / slotWords()) | 0;
}

function slotCount(d: number): number {
  const words = readLocal(IoTlb.pages.at(d)) * frameWordCount();
  return Math.min((words / slotWords()) | 0, IoTlbSlot.list.count);
}

/** swiotlb_init_with_tbl(). @param startPfn - first page. @param pages - how many. */
export function initSwiotlb(d: number, startPfn: number, pages: number): void {
  writeLocal(IoTlb.startPfn.at(d), startPfn);
  writeLocal(IoTlb.pages.at(d), pages);
  const slots = slotCount(d);
  for (let i = 0; i < slots; i++) {
    const segmentEnd = Math.min(slots, (((i / IO_TLB_SEGSIZE) | 0) + 1) * IO_TLB_SEGSIZE);
    writeLocal(IoTlbSlot.list.at2(d, i), segmentEnd - i);
    writeLocal(IoTlbSlot.orig.at2(d, i), NO_PHYS);
  }
}

/** is_swiotlb_buffer(). @param pfn - page of the domain, or less than 0. */
export function isSwiotlbPage(d: number, pfn: number): boolean {
  const start = readLocal(IoTlb.startPfn.at(d));
  return pfn >= start && pfn < start + readLocal(IoTlb.pages.at(d));
}

/** Copies words between two physical addresses through the direct map: memcpy(). */
function* copyWords(v: number, to: number, from: number, size: number): Op<void> {
  const words = frameWordCount();
  for (let i = 0; i < size; i++) {
    const source = kernelBase() + (((from + i) / words) | 0);
    let fault = yield* cpuLoad(v, source, (from + i) % words);
    const target = kernelBase() + (((to + i) / words) | 0);
    if (fault === 0) fault = yield* cpuStore(v, target, (to + i) % words, reg(v, REG_VALUE));
    warnOn(fault !== 0, BUG_DMA_BOUNCE, from + i, fault);
  }
}

/** swiotlb_bounce(). @param dir - DMA_TO_DEVICE: into the slot; DMA_FROM_DEVICE: out of it. */
function* swiotlbBounce(
  v: number,
  orig: number,
  slot: number,
  size: number,
  dir: number,
): Op<void> {
  if (dir === DMA_TO_DEVICE) yield* copyWords(v, slot, orig, size);
  else yield* copyWords(v, orig, slot, size);
}

/** Is slot i the last of its segment? Such a slot ends a run that is counted downwards. */
function endsSegment(i: number): boolean {
  return i < 0 || i % IO_TLB_SEGSIZE === IO_TLB_SEGSIZE - 1;
}

/** Counts the free slots before `index` anew, from `count` on. The caller holds the lock. */
function* recountBefore(d: number, index: number, count: number): Op<void> {
  let free = count;
  for (let i = index - 1; !endsSegment(i); i--) {
    if ((yield* read(IoTlbSlot.list.at2(d, i))) === 0) break;
    yield* write(IoTlbSlot.list.at2(d, i), ++free);
  }
}

/** Takes a run of slots. The caller holds the lock. @returns the first one, or -1. */
function* findSlots(d: number, nslots: number, stride: number): Op {
  const slots = slotCount(d);
  if (slots === 0) return -1;
  const last = yield* read(IoTlb.index.at(d));
  let index = (((last + stride - 1) / stride) | 0) * stride;
  if (index >= slots) index = 0;
  const wrap = index;
  do {
    if ((yield* read(IoTlbSlot.list.at2(d, index))) >= nslots) {
      for (let i = index; i < index + nslots; i++) yield* write(IoTlbSlot.list.at2(d, i), 0);
      yield* recountBefore(d, index, 0);
      yield* write(IoTlb.index.at(d), index + nslots < slots ? index + nslots : 0);
      return index;
    }
    index += stride;
    if (index >= slots) index = 0;
  } while (index !== wrap);
  return -1;
}

/**
 * swiotlb_tbl_map_single(): takes slots and copies in what goes to the device.
 * @param orig - physical address. @param size - words. @param dir - DMA_*.
 * @returns physical address of the slots, or NO_PHYS if none are free.
 */
export function* swiotlbTblMapSingle(v: number, orig: number, size: number, dir: number): Op {
  const d = domainOf(v);
  const nslots = slotsFor(size);
  const stride = size > frameWordCount() ? (frameWordCount() / slotWords()) | 0 : 1;
  const flags = yield* localIrqSave(v);
  yield* spinLock(IoTlb.lock.at(d));
  const index = yield* findSlots(d, nslots, stride);
  yield* spinUnlock(IoTlb.lock.at(d));
  yield* localIrqRestore(v, flags);
  if (index < 0) return NO_PHYS;
  for (let i = 0; i < nslots; i++) {
    yield* write(IoTlbSlot.orig.at2(d, index + i), orig + i * slotWords());
  }
  const slot = readLocal(IoTlb.startPfn.at(d)) * frameWordCount() + index * slotWords();
  if (dir === DMA_TO_DEVICE || dir === DMA_BIDIRECTIONAL) {
    yield* swiotlbBounce(v, orig, slot, size, DMA_TO_DEVICE);
  }
  return slot;
}

function slotIndex(d: number, slot: number): number {
  const start = readLocal(IoTlb.startPfn.at(d)) * frameWordCount();
  return ((slot - start) / slotWords()) | 0;
}

/** Gives slots back and merges them with their neighbours. The caller holds the lock. */
function* freeSlots(d: number, index: number, nslots: number): Op<void> {
  const slots = slotCount(d);
  const segmentEnd = (((index / IO_TLB_SEGSIZE) | 0) + 1) * IO_TLB_SEGSIZE;
  const after = index + nslots;
  const inside = after < segmentEnd && after < slots;
  let count = inside ? yield* read(IoTlbSlot.list.at2(d, after)) : 0;
  for (let i = after - 1; i >= index; i--) {
    yield* write(IoTlbSlot.list.at2(d, i), ++count);
    yield* write(IoTlbSlot.orig.at2(d, i), NO_PHYS);
  }
  yield* recountBefore(d, index, count);
}

/**
 * swiotlb_tbl_unmap_single(): copies out what came from the device, then frees the slots.
 * @param slot - physical address that swiotlbTblMapSingle gave. @param size - words.
 */
export function* swiotlbTblUnmapSingle(
  v: number,
  slot: number,
  size: number,
  dir: number,
): Op<void> {
  const d = domainOf(v);
  const index = slotIndex(d, slot);
  const orig = yield* read(IoTlbSlot.orig.at2(d, index));
  if (orig !== NO_PHYS && (dir === DMA_FROM_DEVICE || dir === DMA_BIDIRECTIONAL)) {
    yield* swiotlbBounce(v, orig, slot, size, DMA_FROM_DEVICE);
  }
  const flags = yield* localIrqSave(v);
  yield* spinLock(IoTlb.lock.at(d));
  yield* freeSlots(d, index, slotsFor(size));
  yield* spinUnlock(IoTlb.lock.at(d));
  yield* localIrqRestore(v, flags);
}

/**
 * swiotlb_tbl_sync_single(): copies without giving the slots back.
 * @param slot - physical address in a slot. @param toDevice - 1 before the device goes on, 0 before
 *   the CPU looks.
 */
export function* swiotlbTblSyncSingle(
  v: number,
  slot: number,
  size: number,
  dir: number,
  toDevice: number,
): Op<void> {
  const d = domainOf(v);
  const orig = yield* read(IoTlbSlot.orig.at2(d, slotIndex(d, slot)));
  if (orig === NO_PHYS) return;
  const at = orig + (slot % slotWords());
  if (toDevice !== 0 && dir !== DMA_FROM_DEVICE) {
    yield* swiotlbBounce(v, at, slot, size, DMA_TO_DEVICE);
  }
  if (toDevice === 0 && dir !== DMA_TO_DEVICE) {
    yield* swiotlbBounce(v, at, slot, size, DMA_FROM_DEVICE);
  }
}
