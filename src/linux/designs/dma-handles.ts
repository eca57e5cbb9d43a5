/**
 * The proposal's last idea (D. Vrabel, xen-devel, October 2014): mapping for DMA returns an opaque
 * handle, and unmapping takes it. What unmap needs, it finds in the handle's record: the page, the
 * grant behind it, the bus address and the direction. No frame is looked up, so one frame under two
 * pages is no question, and a foreign page's cache lines are maintained through the page.
 *
 * Handle         generation << dmaHandleBits | index
 * DmaHandle.state   generation << 1 | live. It says who may use the record:
 *   0 → live       by whoever allocated the index: 1. fields. 2. state (release).
 *   live → dead    by a compare-and-swap with the generation of the handle: who succeeds has the
 *                  record to itself; a second unmap, or one of an old handle, is refused
 *   dead → 0       by that one, with the next generation, before the index is free again
 * There is no lock. Other fields belong to who has the record.
 *
 * The design is vma-pages besides. The same handles go with any other design by
 * LinuxParams.dmaHandles.
 */
import type { Op } from '../../shared/op.ts';
import {
  cmpxchg,
  loadAcquire,
  read,
  readLocal,
  storeRelease,
  write,
} from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { EINVAL } from '../errno.ts';
import { PG_foreign, Page } from '../mm/page.ts';
import { LinuxParams } from '../params.ts';

/** Bits of a handle: it stays positive, and its state too. */
const HANDLE_BITS = 30;
/** Bit of DmaHandle.state: the record describes a mapping. */
const LIVE = 1;

export const DmaHandle = defineTable(
  'dma_handle[%]',
  ['dmaHandleRecords'],
  {
    state: '[GST] generation << 1 | live; compare-and-swap',
    page: '[GST] page that was mapped',
    grant: '[GST] domain and ref behind a foreign page (page->private), -1 for a local one',
    bus: '[GST] bus address',
    slot: '[GST] physical address in the bounce pool, -1 if the device uses the page itself',
    size: '[GST] words',
    dir: '[GST] DMA_* direction',
  },
  { lineAligned: true },
);

export const DmaHandleBitmap = defineTable('dma_handle_bitmap[%]', ['dmaHandleWords'], {
  value: '[GST] records in use (kmem_cache)',
});

/** Bits of a handle that name its record. */
function indexBits(): number {
  return readLocal(LinuxParams.dmaHandleBits.word);
}

function indexOf(handle: number): number {
  return handle & ((1 << indexBits()) - 1);
}

/** State of the record while the handle is good. */
function liveState(handle: number): number {
  return ((handle >> indexBits()) << 1) | LIVE;
}

/**
 * Makes a handle for a mapping. The caller holds the page.
 * @param bus - bus address. @param slot - in the bounce pool, or -1. @param size - words.
 * @returns the handle, -1 if no record is free.
 */
export function* dmaHandleCreate(
  pg: number,
  bus: number,
  slot: number,
  size: number,
  dir: number,
): Op {
  const index = yield* slabAlloc(DmaHandleBitmap.value.word, DmaHandle.state.count);
  if (index < 0) return -1;
  const foreign = ((yield* read(Page.flags.at(pg))) & PG_foreign) !== 0;
  const grant = foreign ? yield* read(Page.private.at(pg)) : -1;
  yield* write(DmaHandle.page.at(index), pg);
  yield* write(DmaHandle.grant.at(index), grant);
  yield* write(DmaHandle.bus.at(index), bus);
  yield* write(DmaHandle.slot.at(index), slot);
  yield* write(DmaHandle.size.at(index), size);
  yield* write(DmaHandle.dir.at(index), dir);
  const generation = (yield* read(DmaHandle.state.at(index))) >> 1;
  yield* storeRelease(DmaHandle.state.at(index), (generation << 1) | LIVE);
  return (generation << indexBits()) | index;
}

/**
 * Takes a handle's record out of use: nobody else can unmap it from now on.
 * @returns index of the record, the caller's until dmaHandleRelease; -EINVAL if the handle is not,
 *   or no longer, one of a mapping.
 */
export function* dmaHandleTake(handle: number): Op {
  const index = indexOf(handle);
  if (handle < 0 || index >= DmaHandle.state.count) return -EINVAL;
  const live = liveState(handle);
  const before = yield* cmpxchg(DmaHandle.state.at(index), live, live & ~LIVE);
  return before === live ? index : -EINVAL;
}

/** Gives a record back for other mappings. @param index - what dmaHandleTake gave. */
export function* dmaHandleRelease(index: number): Op<void> {
  const generation = ((yield* read(DmaHandle.state.at(index))) >> 1) + 1;
  yield* storeRelease(
    DmaHandle.state.at(index),
    (generation & ((1 << (HANDLE_BITS - indexBits())) - 1)) << 1,
  );
  yield* slabFree(DmaHandleBitmap.value.word, index);
}

/**
 * The record of a handle that the caller has mapped and not unmapped.
 * @returns its index, or -EINVAL.
 */
export function* dmaHandleRecord(handle: number): Op {
  const index = indexOf(handle);
  if (handle < 0 || index >= DmaHandle.state.count) return -EINVAL;
  return (yield* loadAcquire(DmaHandle.state.at(index))) === liveState(handle) ? index : -EINVAL;
}
