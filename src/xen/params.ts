/**
 * Boot constants of the hypervisor as words; written once (tables.ts: bootXen), read without a
 * preemption point. A key of the configuration and the field of the same name are the same number.
 */
import { readLocal } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';

export const XenParams = defineTable('xen', [], {
  gnttabFrames: '[BOOT] max_grant_frames of each domain',
  gnttabPerFrame: '[BOOT] version 1 entries in a frame of the shared table (512 in life)',
  gnttabInitialFrames: '[BOOT] INITIAL_NR_GRANT_FRAMES',
  gnttabStatusPerFrame: '[BOOT] status words in a frame of them (2048 in life)',
  gnttabMaxVersion: '[BOOT] max_version of each table: 2, or 1 as with gnttab=max-ver:1',
  gnttabTransitive: '[BOOT] switch opt_transitive_grants',
  gnttabTransfer: '[BOOT] switch opt_grant_transfer',
  maptrackFrames: '[BOOT] max_maptrack_frames of each domain',
  maptrackPerFrame: '[BOOT] MAPTRACK_PER_PAGE (256 in life)',
  unmapBatch: '[BOOT] GNTTAB_UNMAP_BATCH_SIZE',
  ports: '[BOOT] event channels of each domain',
  cacheFlush: '[BOOT] switch: the hypervisor knows GNTTABOP_cache_flush',
  directMapped: '[BOOT] switch: domain 0 is mapped 1:1 (ARM): its frames stay its own',
  debug: '[BOOT] switch CONFIG_DEBUG: entries of grants are marked, and overwriting one is noticed',
  maxPages: '[BOOT] d->max_pages; 0 means as many as there are frames',
});

/** GNTTAB_UNMAP_BATCH_SIZE: unmap operations between two TLB flushes. */
export function unmapBatch(): number {
  return readLocal(XenParams.unmapBatch.word);
}

/** SHGNT_PER_PAGE_V1: version 1 entries in a frame. */
export function gnttabPerFrame(): number {
  return readLocal(XenParams.gnttabPerFrame.word);
}

/** SHGNT_PER_PAGE_V2: version 2 entries are twice as large. */
export function gnttabV2PerFrame(): number {
  return gnttabPerFrame() >> 1;
}

/** STGNT_PER_PAGE: status words in a frame. */
export function gnttabStatusPerFrame(): number {
  return readLocal(XenParams.gnttabStatusPerFrame.word);
}

/** opt_transitive_grants. @returns 0 or 1. */
export function optTransitiveGrants(): number {
  return readLocal(XenParams.gnttabTransitive.word);
}

/** CONFIG_DEBUG of the hypervisor: distributions build it without. @returns 0 or 1. */
export function isDebugBuild(): number {
  return readLocal(XenParams.debug.word);
}

/** opt_grant_transfer. @returns 0 or 1. */
export function optGrantTransfer(): number {
  return readLocal(XenParams.gnttabTransfer.word);
}

export function maptrackPerFrame(): number {
  return readLocal(XenParams.maptrackPerFrame.word);
}

/** is_domain_direct_mapped(). @param d - domain. */
export function isDomainDirectMapped(d: number): boolean {
  return d === 0 && readLocal(XenParams.directMapped.word) !== 0;
}
