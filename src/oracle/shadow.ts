/**
 * What the oracle remembers, in tables of its own that simulated code never reads.
 *
 * right   how many active grant entries pin a frame for a domain [ORACLE]
 * page    the user address that a page's grant was mapped at, as gntdev asked for it [ORACLE]
 * walk    the page tables that a vCPU has come to in its RCU read section [ORACLE]
 * dma     who may touch a frame that was mapped for DMA, and what it must be seen to hold
 * address the other way round; a direct-mapped cache, so an entry may be gone but never wrong
 */
import { defineTable } from '../shared/table.ts';

export const ShadowRight = defineTable('oracle.right[d%].frame[%]', ['domains', 'frames'], {
  pins: '[ORACLE] active entries through which the domain reaches the frame',
});

export const ShadowPage = defineTable('oracle.page[d%][%]', ['domains', 'pagesPerDomain'], {
  vpn: '[ORACLE] 1 + the user address of the mapped grant, 0 if none',
  mm: '[ORACLE] its address space',
});

export const ShadowAddress = defineTable('oracle.address[%]', ['oracleAddresses'], {
  vpn: '[ORACLE] 1 + the user address, 0 if the slot is empty',
  mm: '[ORACLE] its address space',
  page: '[ORACLE] the page that its grant is mapped onto',
});

export const ShadowWalk = defineTable('oracle.walk[%v].frame[%]', ['vcpus', 'ptFrames'], {
  section: '[ORACLE] 1 + the RCU read section in which the vCPU last read this page table',
});

export const ShadowDma = defineTable('oracle.dma.frame[%]', ['frames'], {
  mapped: '[ORACLE] 1 + live DMA mappings of the frame, 0 if it was never mapped',
  device: '[ORACLE] those of them during which the frame is the device’s',
  none: '[ORACLE] 1 if the last unmap found no page behind the frame',
});

/** Only where DMA does not see the CPUs' cache. */
export const ShadowData = defineTable(
  'oracle.data.frame[%].word[%]',
  ['cacheFrames', 'frameWords'],
  {
    value: '[ORACLE] what CPU or device stored last',
    known: '[ORACLE] 1 once somebody did',
  },
);

export const ShadowDmaPage = defineTable('oracle.dma.page[d%][%]', ['domains', 'pagesPerDomain'], {
  mappings: '[ORACLE] live DMA mappings of the page',
  frame: '[ORACLE] 1 + frame of the last',
});

export const oracleTables = [
  ShadowRight,
  ShadowPage,
  ShadowAddress,
  ShadowWalk,
  ShadowDma,
  ShadowDmaPage,
  ShadowData,
];

/** Sizes of the oracle's tables. */
export const oracleDefaults = { oracleAddresses: 256 };
