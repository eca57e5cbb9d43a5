/**
 * The kernels whose DMA API is told apart, by LinuxParams.dmaApi. They differ in one thing: what an
 * unmap, which is given a bus address, can do for a frame of another domain.
 */
import { readLocal } from '../../shared/operations.ts';
import { LinuxParams } from '../params.ts';

/** x86 PV: devices snoop the caches, so there is nothing to do. */
export const DMA_X86 = 0;
/** ARM of Linux 3.13–3.17: the page by a tree from frame to page (arch/arm/xen/p2m.c). */
export const DMA_ARM_MACH_TO_PHYS = 1;
/** ARM of Linux 3.18, mm32.c, Xen with XENFEAT_grant_map_identity: by the frame's own number. */
export const DMA_ARM_IDENTITY = 2;
/** The same kernel without that feature: it returns and hopes for the best. */
export const DMA_ARM_MM32 = 3;
/** ARM since Linux 3.19, mm.c: GNTTABOP_cache_flush by machine address. */
export const DMA_ARM_CACHE_FLUSH = 4;
/** The same kernel on a hypervisor without that operation: foreign pages are bounced. */
export const DMA_ARM_BOUNCE = 5;

/** @returns DMA_* of the kernel under study. */
export function dmaApi(): number {
  return readLocal(LinuxParams.dmaApi.word);
}

/** Is the kernel one of ARM, in a domain that is mapped 1:1? */
export function onArm(): boolean {
  return dmaApi() !== DMA_X86;
}
