/**
 * The seed's question: DMA that the caches do not see. The frontend's page holds old data, dirty in
 * the cache; a device of the backend delivers new data into it; lines come and go by themselves
 * meanwhile. Does the backend read what the device delivered?
 */
import { cpuLoad, cpuStore } from '../hardware/access.ts';
import { cacheSpeculation } from '../hardware/cache-speculation.ts';
import { firstVcpuOf, frameWordCount, kernelBase } from '../hardware/params.ts';
import { DMA_FROM_DEVICE, DMA_MAPPING_ERROR } from '../linux/dma/address.ts';
import { dmaAddress, dmaMapPage, dmaUnmapPage } from '../linux/dma/mapping.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { IoTlb } from '../linux/dma/swiotlb.ts';
import { pfnToMfn } from '../linux/mm/p2m.ts';
import { pfnOf } from '../linux/mm/page.ts';
import type { Op } from '../shared/op.ts';
import { readLocal, writeLocal } from '../shared/operations.ts';
import {
  ARM_BOUNCE,
  ARM_CACHE_FLUSH,
  ARM_IDENTITY,
  ARM_MACH_TO_PHYS,
  ARM_MM32,
  DEVICE,
  DmaBuffer,
  DmaRequest,
  deliver,
  mapBuffer,
  prepareBuffer,
  transfer,
  unmapBuffer,
} from './dma-buffer.ts';
import type { DmaKernel } from './dma-buffer.ts';
import { BACKEND, FRONTEND, grantPage } from './process.ts';
import type { Race, RaceActor } from './race.ts';

const OLD = 17;
const NEW = 23;

function* arrange(): Op<void> {
  const pg = yield* grantPage(0);
  writeLocal(DmaRequest.frame.word, yield* pfnToMfn(FRONTEND, pfnOf(pg)));
  yield* cpuStore(firstVcpuOf(FRONTEND), kernelBase() + pfnOf(pg), 0, OLD);
  yield* prepareBuffer(0);
  yield* mapBuffer(firstVcpuOf(BACKEND), 0);
}

/** Has the page filled by the device, reads it, lets go of the grant. */
function* backend(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const pg = readLocal(DmaBuffer.page.at(0));
  const token = yield* dmaMapPage(v, DEVICE, pg, 0, frameWordCount(), DMA_FROM_DEVICE);
  if (token === DMA_MAPPING_ERROR) return;
  yield* transfer(yield* dmaAddress(token));
  yield* dmaUnmapPage(v, token, frameWordCount(), DMA_FROM_DEVICE);
  yield* cpuLoad(v, kernelBase() + pfnOf(pg), 0);
  yield* unmapBuffer(v, 0);
}

/** Lines of the granted frame come and go. */
function* ofTheFrame(): Op<void> {
  yield* cacheSpeculation(readLocal(DmaRequest.frame.word), 0, 2);
}

/** Lines of the first bounce buffer come and go. */
function* ofThePool(): Op<void> {
  const pfn = readLocal(IoTlb.startPfn.at(BACKEND));
  yield* cacheSpeculation(yield* pfnToMfn(BACKEND, pfn), 0, 1);
}

/** The question to one kernel. @param more - actors beside those of all. */
function ask({ suffix, about, sizes }: DmaKernel, more: readonly RaceActor[] = []): Race {
  return {
    name: `non-coherent-dma${suffix}`,
    about: `A device delivers into a granted page, and caches do not see it, ${about}.`,
    sources: [
      'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
      'Linux 3.18, arch/arm/xen/mm32.c: dma_cache_maint()',
      'Linux 3.19, arch/arm/xen/mm.c: dma_cache_maint(), xen_arch_need_swiotlb()',
    ],
    // m2p-override was of x86 alone.
    designs: EVERY_DESIGN.filter((design) => design !== 'm2p-override'),
    dma: true,
    sizes: { vcpusPerDomain: 3, frameWords: 1, ...sizes },
    arrange,
    actors: [
      { role: 'backend', vcpu: 0, body: backend },
      { role: 'delivers', vcpu: 0, hardware: 'device', body: () => deliver(NEW) },
      { role: 'prefetches and evicts', vcpu: 0, hardware: 'cache', body: ofTheFrame },
      ...more,
    ],
    kernelThreads: [],
  };
}

export const nonCoherentDma: readonly Race[] = [
  ask({ ...ARM_MM32, suffix: '' }),
  ask(ARM_MACH_TO_PHYS),
  ask(ARM_IDENTITY),
  ask(ARM_CACHE_FLUSH),
  ask(ARM_BOUNCE, [
    { role: 'prefetches and evicts in the pool', vcpu: 0, hardware: 'cache', body: ofThePool },
  ]),
];
