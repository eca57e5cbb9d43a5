/**
 * From a driver's object to the VMAs that map it (include/linux/fs.h: struct address_space, i_mmap;
 * mm/memory.c: unmap_mapping_range()), so that a driver can take its pages back from whoever has
 * them mapped. The entries of such a VMA (VM_PFNMAP) hold no references: the driver frees a page
 * when no entry and no TLB has it any more.
 *
 * Mapping.lock      i_mmap_rwsem: write: the list changes; read: it is walked, and a VMA on it
 *                   stays, also one that munmap has detached
 * Vma.mapping       written before anybody else sees the VMA; constant while it lives
 *
 * A VMA leaves the list after its entries are cleared *and* flushed (b67fbebd4cf9): who does not
 * find it there need not flush for it.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write, writeLocal } from '../../shared/operations.ts';
import { downRead, downWrite, upRead, upWrite } from '../../shared/rwsem.ts';
import { defineTable } from '../../shared/table.ts';
import { NO_VMA, Vma } from './vma.ts';
import { zapRange } from './zap-range.ts';

/** VMA of no object. */
export const NO_MAPPING = -1;

export const Mapping = defineTable(
  'mapping[%]',
  ['mappings'],
  {
    lock: '[GST] i_mmap_rwsem',
    first: '[GST] i_mmap: first VMA, NO_VMA if none',
  },
  { lineAligned: true },
);

/** Gives an object no VMAs, at boot. */
export function initMapping(mapping: number): void {
  writeLocal(Mapping.first.at(mapping), NO_VMA);
}

/** mm/vma.c: vma_link_file(). @param vma - VMA with Vma.mapping set. */
export function* vmaLinkFile(vma: number): Op<void> {
  const mapping = readLocal(Vma.mapping.at(vma));
  if (mapping === NO_MAPPING) return;
  yield* downWrite(Mapping.lock.at(mapping));
  yield* write(Vma.sharedNext.at(vma), yield* read(Mapping.first.at(mapping)));
  yield* write(Mapping.first.at(mapping), vma);
  yield* upWrite(Mapping.lock.at(mapping));
}

/** mm/vma.c: unlink_file_vma(). @param vma - detached, its entries cleared and flushed. */
export function* unlinkFileVma(vma: number): Op<void> {
  const mapping = readLocal(Vma.mapping.at(vma));
  if (mapping === NO_MAPPING) return;
  yield* downWrite(Mapping.lock.at(mapping));
  let word = Mapping.first.at(mapping);
  let at = yield* read(word);
  while (at !== vma) {
    word = Vma.sharedNext.at(at);
    at = yield* read(word);
  }
  yield* write(word, yield* read(Vma.sharedNext.at(vma)));
  yield* upWrite(Mapping.lock.at(mapping));
}

/**
 * mm/memory.c: unmap_mapping_range(), the whole object.
 * @param v - vCPU of the driver. @param mapping - its object: when it returns, no entry and no TLB
 *   has a page of it.
 */
export function* unmapMappingRange(v: number, mapping: number): Op<void> {
  yield* downRead(Mapping.lock.at(mapping));
  let vma = yield* read(Mapping.first.at(mapping));
  while (vma !== NO_VMA) {
    const start = yield* read(Vma.vmStart.at(vma));
    const end = yield* read(Vma.vmEnd.at(vma));
    yield* zapRange(v, yield* read(Vma.mm.at(vma)), vma, start, end);
    vma = yield* read(Vma.sharedNext.at(vma));
  }
  yield* upRead(Mapping.lock.at(mapping));
}
