/**
 * Bus addresses and directions (include/linux/dma-direction.h, include/linux/dma-mapping.h). A bus
 * address is a machine address, counted in words: frame * frameWords + offset.
 */
import { frameWordCount } from '../../hardware/params.ts';

export const DMA_BIDIRECTIONAL = 0;
export const DMA_TO_DEVICE = 1;
export const DMA_FROM_DEVICE = 2;

/** DMA_MAPPING_ERROR: no bus address. */
export const DMA_MAPPING_ERROR = -1;

/** A bus address. @param mfn - frame. @param offset - word in it. */
export function busAddress(mfn: number, offset: number): number {
  return mfn * frameWordCount() + offset;
}

/** The frame of a bus address. */
export function busFrame(bus: number): number {
  return (bus / frameWordCount()) | 0;
}

/** The word of a bus address in its frame. */
export function busOffset(bus: number): number {
  return bus % frameWordCount();
}

/** Frames that a range touches. @param offset - first word in the first frame. */
export function framesOf(offset: number, size: number): number {
  return ((offset + size + frameWordCount() - 1) / frameWordCount()) | 0;
}
