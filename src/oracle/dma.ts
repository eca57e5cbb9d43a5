/**
 * I16, and I5, I8 and I12 for DMA.
 *
 * From dma_map to dma_unmap a frame is the device's, between two syncs the CPU's. While it is the
 * CPU's, a load must give what was stored last, by whomever; while it is the device's, so must a
 * fetch by DMA. Caches, write-backs and prefetches are not looked at, only what is read.
 *
 * An unmap by bus address must find a page that is mapped for DMA at that frame, and each mapping
 * is found once. That it finds none is no harm in itself: on coherent machines nothing is to be
 * done with the page.
 */
import { nonCoherent } from '../hardware/cache.ts';
import { Page } from '../linux/mm/page.ts';
import {
  TRACE_DMA_MAP,
  TRACE_DMA_SYNC_CPU,
  TRACE_DMA_SYNC_DEVICE,
  TRACE_DMA_UNMAP,
  TRACE_DMA_UNMAP_END,
} from '../linux/tracepoints.ts';
import { LOAD_THROUGH, STORE_THROUGH } from '../shared/kinds.ts';
import { kernelFrameOf } from './invariants/p2m.ts';
import { peek, shadowAdd, shadowSet } from './shadow-words.ts';
import { ShadowData, ShadowDma, ShadowDmaPage } from './shadow.ts';
import type { Report } from './violation.ts';
import {
  DMA_AFTER_UNMAP,
  DMA_WRONG_FRAME,
  DMA_WRONG_PAGE,
  STALE_AFTER_NONE,
  STALE_CPU_DATA,
  STALE_DEVICE_DATA,
} from './violation.ts';

/** ShadowDma.mapped of a frame that was mapped once and is not any more. */
const TORN_DOWN = 1;

function pageWord(field: { at2(d: number, pfn: number): number }, pg: number): number {
  const perDomain = ShadowDmaPage.mappings.count;
  return field.at2((pg / perDomain) | 0, pg % perDomain);
}

/** A page is mapped for DMA. @param mfn - frame that the device will use. */
function dmaMapped(actor: number, mfn: number, pg: number, report: Report): void {
  const perDomain = ShadowDmaPage.mappings.count;
  const behind = kernelFrameOf((pg / perDomain) | 0, pg % perDomain);
  if (behind !== mfn) {
    report(actor, DMA_WRONG_FRAME, pageWord(Page.refcount, pg), ShadowDma.mapped.at(mfn));
  }
  const mappings = pageWord(ShadowDmaPage.mappings, pg);
  const frame = pageWord(ShadowDmaPage.frame, pg);
  shadowSet(mappings, peek(frame) === mfn + 1 ? peek(mappings) + 1 : 1);
  shadowSet(frame, mfn + 1);
  if (peek(ShadowDma.mapped.at(mfn)) === 0) shadowSet(ShadowDma.mapped.at(mfn), TORN_DOWN);
  shadowAdd(ShadowDma.mapped.at(mfn), 1);
  shadowAdd(ShadowDma.device.at(mfn), 1);
}

/** An unmap begins. @param pg - page that it found behind the address, less than 0: none. */
function dmaUnmapBegins(actor: number, mfn: number, pg: number, report: Report): void {
  shadowSet(ShadowDma.none.at(mfn), pg < 0 ? 1 : 0);
  if (pg < 0) return;
  const mappings = pageWord(ShadowDmaPage.mappings, pg);
  const here = peek(pageWord(ShadowDmaPage.frame, pg)) === mfn + 1;
  if (here && peek(mappings) > 0) shadowAdd(mappings, -1);
  else report(actor, DMA_WRONG_PAGE, pageWord(Page.refcount, pg), ShadowDma.mapped.at(mfn));
}

/** An unmap has done its maintenance. */
function dmaUnmapped(mfn: number): void {
  shadowAdd(ShadowDma.mapped.at(mfn), -1);
  shadowAdd(ShadowDma.device.at(mfn), -1);
}

/** A sync gives the frame to the CPU (-1) or to the device (1). */
function dmaSynced(mfn: number, change: number): void {
  shadowAdd(ShadowDma.device.at(mfn), change);
}

/** A tracepoint of the DMA API. @param mfn - frame. @param pg - page, or less than 0. */
export function dmaTraced(
  actor: number,
  point: number,
  mfn: number,
  pg: number,
  report: Report,
): void {
  switch (point) {
    case TRACE_DMA_MAP:
      return dmaMapped(actor, mfn, pg, report);
    case TRACE_DMA_UNMAP:
      return dmaUnmapBegins(actor, mfn, pg, report);
    case TRACE_DMA_UNMAP_END:
      return dmaUnmapped(mfn);
    case TRACE_DMA_SYNC_CPU:
      return dmaSynced(mfn, -1);
    case TRACE_DMA_SYNC_DEVICE:
      return dmaSynced(mfn, 1);
    default:
      return undefined;
  }
}

/** A frame has a new owner, for whom nothing of what was before counts. */
export function dmaForget(mfn: number): void {
  shadowSet(ShadowDma.mapped.at(mfn), 0);
  shadowSet(ShadowDma.device.at(mfn), 0);
  if (!nonCoherent()) return;
  for (let i = 0; i < ShadowData.known.count; i++) shadowSet(ShadowData.known.at2(mfn, i), 0);
}

/** A CPU or a device stored a word. */
function dataStored(mfn: number, offset: number, value: number): void {
  shadowSet(ShadowData.value.at2(mfn, offset), value);
  shadowSet(ShadowData.known.at2(mfn, offset), 1);
}

function differs(mfn: number, offset: number, value: number): boolean {
  const known = peek(ShadowData.known.at2(mfn, offset)) !== 0;
  return known && peek(ShadowData.value.at2(mfn, offset)) !== value;
}

/** A CPU loaded a word. @param word - where from: a line of the cache, or memory. */
function cpuLoaded(
  actor: number,
  mfn: number,
  offset: number,
  value: number,
  word: number,
  report: Report,
): void {
  if (peek(ShadowDma.device.at(mfn)) > 0 || !differs(mfn, offset, value)) return;
  const none = peek(ShadowDma.none.at(mfn)) !== 0;
  const shadow = ShadowData.value.at2(mfn, offset);
  report(actor, none ? STALE_AFTER_NONE : STALE_CPU_DATA, word, shadow);
}

/** A device fetched a word. */
function deviceLoaded(
  actor: number,
  mfn: number,
  offset: number,
  value: number,
  word: number,
  report: Report,
): void {
  if (peek(ShadowDma.device.at(mfn)) === 0 || !differs(mfn, offset, value)) return;
  report(actor, STALE_DEVICE_DATA, word, ShadowData.value.at2(mfn, offset));
}

/**
 * What a CPU or a device read or wrote; asked only where a cache can hold something else than
 * memory. @param at - number of the word: frame * frameWords + offset. @param word - where it is.
 */
export function dataAccess(
  actor: number,
  isDevice: boolean,
  kind: number,
  at: number,
  word: number,
  value: number,
  report: Report,
): void {
  const mfn = (at / ShadowData.value.count) | 0;
  const offset = at % ShadowData.value.count;
  if (kind === STORE_THROUGH) dataStored(mfn, offset, value);
  if (kind !== LOAD_THROUGH) return;
  if (isDevice) deviceLoaded(actor, mfn, offset, value, word, report);
  else cpuLoaded(actor, mfn, offset, value, word, report);
}

/** A device accesses a frame. */
export function checkDmaMapped(actor: number, mfn: number, word: number, report: Report): void {
  const mapped = ShadowDma.mapped.at(mfn);
  if (peek(mapped) === TORN_DOWN) report(actor, DMA_AFTER_UNMAP, word, mapped);
}
