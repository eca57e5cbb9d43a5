/**
 * What the questions about DMA have in common: buffers of a block backend in domain 0, each a grant
 * of domain 1 that is mapped over a ballooned page at the kernel's address (drivers/block/
 * xen-blkback/blkback.c), a device that stores into one, and the kernels whose DMA API is asked.
 */
import { dmaWrite } from '../hardware/dma.ts';
import { Device } from '../hardware/iommu.ts';
import { firstVcpuOf, frameWordCount, kernelBase } from '../hardware/params.ts';
import { busFrame, busOffset } from '../linux/dma/address.ts';
import {
  DMA_ARM_BOUNCE,
  DMA_ARM_CACHE_FLUSH,
  DMA_ARM_IDENTITY,
  DMA_ARM_MACH_TO_PHYS,
  DMA_ARM_MM32,
  DMA_X86,
} from '../linux/dma/platform.ts';
import { allocBalloonedPages } from '../linux/drivers/balloon.ts';
import {
  gnttabMapRefs,
  gnttabSetMapOp,
  gnttabSetUnmapOp,
  gnttabUnmapRefs,
} from '../linux/drivers/map-refs.ts';
import { pfnOf } from '../linux/mm/page.ts';
import type { Op } from '../shared/op.ts';
import { awaitNotEqual, read, readLocal, storeRelease, write } from '../shared/operations.ts';
import { writeLocal } from '../shared/operations.ts';
import type { Config } from '../shared/table.ts';
import { defineTable } from '../shared/table.ts';
import { GNTMAP_host_map } from '../xen/public/grant-table.ts';
import { BACKEND, RaceGrant } from './process.ts';

/** The device of the races about DMA. */
export const DEVICE = 0;

export const DmaBuffer = defineTable('race.buffer[%]', ['raceGrants'], {
  page: '[BOOT] ballooned page of domain 0 that the grant is mapped over',
});

/** struct gnttab_map_grant_ref of a buffer. */
export const DmaMapOp = defineTable('race.buffer[%].map_op', ['raceGrants'], {
  hostAddr: '[GST] vpn in the direct map',
  flags: '[GST] GNTMAP_*',
  ref: '[GST] grant',
  dom: '[GST] who grants it',
  status: '[XEN] GNTST_*',
  handle: '[XEN] of the mapping',
  devBusAddr: '[XEN] machine frame',
  pad: '[BOOT] 0',
});

/** struct gnttab_unmap_grant_ref of a buffer. */
export const DmaUnmapOp = defineTable('race.buffer[%].unmap_op', ['raceGrants'], {
  hostAddr: '[GST] vpn in the direct map',
  devBusAddr: '[GST] 0',
  handle: '[GST] of the mapping',
  status: '[XEN] GNTST_*',
});

export const DmaRequest = defineTable('race.dma', [], {
  frame: '[BOOT] frame of the first buffer',
  bus: '[GST] bus address that the device is given',
  doorbell: '[GST] 1 once there is a request',
  done: '[DEV] 1 once the device is through',
});

export const dmaRaceTables = [DmaBuffer, DmaMapOp, DmaUnmapOp, DmaRequest];

/** A kernel whose DMA API is asked. */
export interface DmaKernel {
  /** What it is called in the names of races; empty for the seed's own question. */
  readonly suffix: string;
  readonly about: string;
  readonly sizes: Config;
}

const arm = (dmaApi: number, more: Config = {}): Config => ({
  dmaApi,
  directMapped: 1,
  nonCoherent: 1,
  cacheFrames: 80,
  ...more,
});

/** x86 PV: devices snoop. */
export const X86: DmaKernel = {
  suffix: '',
  about: 'on x86, where devices snoop the caches',
  sizes: { dmaApi: DMA_X86 },
};

export const ARM_MACH_TO_PHYS: DmaKernel = {
  suffix: '-mach-to-phys',
  about: 'on ARM of Linux 3.13, which finds the page by a tree of frames',
  sizes: arm(DMA_ARM_MACH_TO_PHYS),
};

export const ARM_IDENTITY: DmaKernel = {
  suffix: '-identity',
  about: 'on ARM of Linux 3.18 with XENFEAT_grant_map_identity',
  sizes: arm(DMA_ARM_IDENTITY),
};

export const ARM_MM32: DmaKernel = {
  suffix: '-mm32',
  about: 'on ARM of Linux 3.18 without XENFEAT_grant_map_identity',
  sizes: arm(DMA_ARM_MM32),
};

export const ARM_CACHE_FLUSH: DmaKernel = {
  suffix: '-cache-flush',
  about: 'on ARM since Linux 3.19 with GNTTABOP_cache_flush',
  sizes: arm(DMA_ARM_CACHE_FLUSH, { cacheFlush: 1 }),
};

export const ARM_BOUNCE: DmaKernel = {
  suffix: '-bounce',
  about: 'on ARM since Linux 3.19 without GNTTABOP_cache_flush, by bounce buffers',
  sizes: arm(DMA_ARM_BOUNCE, { ioTlbPages: 1 }),
};

/** Domain 0 gets the device, and a ballooned page for a buffer. @param i - buffer. */
export function* prepareBuffer(i: number): Op<void> {
  writeLocal(Device.domid.at(DEVICE), BACKEND);
  writeLocal(Device.online.at(DEVICE), 1);
  yield* allocBalloonedPages(firstVcpuOf(BACKEND), 1, DmaBuffer.page.at(i));
}

/** xen_blkbk_map() of one page. @param i - buffer, and grant that was noted. */
export function* mapBuffer(v: number, i: number): Op<void> {
  const vpn = kernelBase() + pfnOf(readLocal(DmaBuffer.page.at(i)));
  const op = DmaMapOp.hostAddr.at(i);
  const ref = readLocal(RaceGrant.ref.at(i));
  gnttabSetMapOp(op, vpn, GNTMAP_host_map, ref, readLocal(RaceGrant.domid.at(i)));
  yield* gnttabMapRefs(v, op, 0, DmaBuffer.page.at(i), 1);
}

/** xen_blkbk_unmap() of one page. */
export function* unmapBuffer(v: number, i: number): Op<void> {
  const op = DmaUnmapOp.hostAddr.at(i);
  const handle = yield* read(DmaMapOp.handle.at(i));
  gnttabSetUnmapOp(op, readLocal(DmaMapOp.hostAddr.at(i)), handle);
  yield* gnttabUnmapRefs(v, op, 0, DmaBuffer.page.at(i), 1);
}

/** The driver's side of a transfer. @param bus - bus address. */
export function* transfer(bus: number): Op<void> {
  yield* write(DmaRequest.bus.word, bus);
  yield* storeRelease(DmaRequest.doorbell.word, 1);
  yield* awaitNotEqual(DmaRequest.done.word, -1, 0);
}

/** The device: waits for the request and stores `value` into all words of a frame. */
export function* deliver(value: number): Op<void> {
  yield* awaitNotEqual(DmaRequest.doorbell.word, -1, 0);
  const bus = yield* read(DmaRequest.bus.word);
  for (let i = 0; i < frameWordCount(); i++) {
    yield* dmaWrite(DEVICE, busFrame(bus), busOffset(bus) + i, value);
  }
  yield* storeRelease(DmaRequest.done.word, 1);
}
