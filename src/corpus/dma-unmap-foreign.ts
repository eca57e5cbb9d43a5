/**
 * The seed's question, as Stabellini put it: the DMA API is torn down by bus address alone. One
 * frame is mapped by two grants over two pages of the backend, each is mapped for DMA and unmapped
 * again; which page does an unmap find behind the address: the right one, a wrong one, or none?
 */
import { firstVcpuOf, frameWordCount } from '../hardware/params.ts';
import { DMA_FROM_DEVICE, DMA_MAPPING_ERROR } from '../linux/dma/address.ts';
import { dmaMapPage, dmaUnmapPage } from '../linux/dma/mapping.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import type { Op } from '../shared/op.ts';
import { readLocal } from '../shared/operations.ts';
import {
  ARM_BOUNCE,
  ARM_CACHE_FLUSH,
  ARM_IDENTITY,
  ARM_MACH_TO_PHYS,
  ARM_MM32,
  DEVICE,
  DmaBuffer,
  X86,
  mapBuffer,
  prepareBuffer,
  unmapBuffer,
} from './dma-buffer.ts';
import type { DmaKernel } from './dma-buffer.ts';
import { BACKEND, grantPage, grantPageAgain } from './process.ts';
import type { Race } from './race.ts';

function* arrange(): Op<void> {
  const pg = yield* grantPage(0);
  yield* grantPageAgain(1, pg);
  for (let i = 0; i < 2; i++) {
    yield* prepareBuffer(i);
    yield* mapBuffer(firstVcpuOf(BACKEND) + i, i);
  }
}

/**
 * One request: maps its buffer for DMA and unmaps it. The second one lets go of its grant then; the
 * first one's is persistent. @param i - which.
 */
function* request(i: number): Op<void> {
  const v = firstVcpuOf(BACKEND) + i;
  const pg = readLocal(DmaBuffer.page.at(i));
  const token = yield* dmaMapPage(v, DEVICE, pg, 0, frameWordCount(), DMA_FROM_DEVICE);
  if (token === DMA_MAPPING_ERROR) return;
  yield* dmaUnmapPage(v, token, frameWordCount(), DMA_FROM_DEVICE);
  if (i === 1) yield* unmapBuffer(v, i);
}

/** The question to one kernel. @param designs - those that ran on it. */
function ask({ suffix, about, sizes }: DmaKernel, designs: readonly string[]): Race {
  return {
    name: `dma-unmap-foreign${suffix}`,
    about: `One frame under two pages is unmapped for DMA by its bus address, ${about}.`,
    sources: [
      'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
      'Linux 3.12, drivers/xen/swiotlb-xen.c: xen_unmap_single()',
      'Linux 3.13, arch/arm/xen/p2m.c: xen_add_mach_to_phys_entry()',
    ],
    designs,
    dma: true,
    sizes: { vcpusPerDomain: 3, frameWords: 1, ...sizes },
    arrange,
    actors: [0, 1].map((i) => ({ role: `request ${i}`, vcpu: i, body: () => request(i) })),
    kernelThreads: [],
  };
}

/** m2p-override was of x86 alone. */
const onArm = EVERY_DESIGN.filter((design) => design !== 'm2p-override');

export const dmaUnmapForeign: readonly Race[] = [
  ask(X86, EVERY_DESIGN),
  ...[ARM_MACH_TO_PHYS, ARM_IDENTITY, ARM_MM32, ARM_CACHE_FLUSH, ARM_BOUNCE].map((kernel) =>
    ask(kernel, onArm),
  ),
];
