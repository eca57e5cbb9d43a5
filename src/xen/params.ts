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
  maptrackFrames: '[BOOT] max_maptrack_frames of each domain',
  maptrackPerFrame: '[BOOT] MAPTRACK_PER_PAGE (256 in life)',
  unmapBatch: '[BOOT] GNTTAB_UNMAP_BATCH_SIZE',
  ports: '[BOOT] event channels of each domain',
  maxPages: '[BOOT] d->max_pages; 0 means as many as there are frames',
});

/** GNTTAB_UNMAP_BATCH_SIZE: unmap operations between two TLB flushes. */
export function unmapBatch(): number {
  return readLocal(XenParams.unmapBatch.word);
}

export function gnttabPerFrame(): number {
  return readLocal(XenParams.gnttabPerFrame.word);
}

export function maptrackPerFrame(): number {
  return readLocal(XenParams.maptrackPerFrame.word);
}
