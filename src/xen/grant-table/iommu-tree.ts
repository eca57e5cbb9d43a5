/**
 * What a domain with a device has mapped, by machine frame: grant_table.maptrack_tree
 * (xen/common/grant_table.c: union maptrack_node, map_grant_ref(), unmap_common()).
 *
 * node  rd:16 | wr:16   read-only and writable mappings of the frame, one count a handle
 * The domain's IOMMU entry for the frame exists while the node is not 0 and is writable while wr
 * is not 0. All of it under the write lock of the mapping domain's own grant table.
 */
import { IOMMU_READ, IOMMU_WRITE, iommuFlush, iommuMap, iommuUnmap } from '../../hardware/iommu.ts';
import type { Op } from '../../shared/op.ts';
import { read, warnOn, write } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { BUG_IOMMU_UNDERFLOW } from '../bugs.ts';
import { GNTST_general_error, GNTST_okay } from '../public/grant-table.ts';
import { grantWriteLock, grantWriteUnlock } from './lock.ts';

export const MaptrackTree = defineTable('maptrack_tree[d%].node[%]', ['domains', 'frames'], {
  node: '[XEN] rd:16 | wr:16; the write lock of the domain’s grant table protects it',
});

const WR_SHIFT = 16;
const COUNT_MASK = 0xffff;

/** @param node - counts of a frame. @returns its read-only mappings. */
export function nodeReaders(node: number): number {
  return node & COUNT_MASK;
}

/** @param node - counts of a frame. @returns its writable mappings. */
export function nodeWriters(node: number): number {
  return node >>> WR_SHIFT;
}

function unit(readonly: number): number {
  return readonly !== 0 ? 1 : 1 << WR_SHIFT;
}

/**
 * Counts a mapping and opens the frame to the domain's devices if it is the first of its kind.
 * @param ld - mapping domain. @param readonly - 1 for a read-only mapping. @returns GNTST_*.
 */
export function* iommuCountMapping(ld: number, mfn: number, readonly: number): Op {
  yield* grantWriteLock(ld);
  const word = MaptrackTree.node.at2(ld, mfn);
  const before = yield* read(word);
  const count = readonly !== 0 ? nodeReaders(before) : nodeWriters(before);
  if (count === COUNT_MASK) {
    yield* grantWriteUnlock(ld);
    return GNTST_general_error;
  }
  yield* write(word, (before + unit(readonly)) | 0);
  if (readonly === 0 && count === 0) yield* iommuMap(ld, mfn, IOMMU_READ | IOMMU_WRITE);
  else if (readonly !== 0 && before === 0) yield* iommuMap(ld, mfn, IOMMU_READ);
  yield* grantWriteUnlock(ld);
  return GNTST_okay;
}

/**
 * Takes a mapping out of the count and narrows what the domain's devices may do.
 * @param ld - mapping domain. @param readonly - 1 for a read-only mapping.
 */
export function* iommuUncountMapping(ld: number, mfn: number, readonly: number): Op<void> {
  yield* grantWriteLock(ld);
  const word = MaptrackTree.node.at2(ld, mfn);
  const before = yield* read(word);
  const count = readonly !== 0 ? nodeReaders(before) : nodeWriters(before);
  warnOn(count === 0, BUG_IOMMU_UNDERFLOW, ld, mfn);
  const after = (before - unit(readonly)) | 0;
  if (after === 0) {
    yield* iommuUnmap(ld, mfn);
    yield* iommuFlush(ld);
  } else if (readonly === 0 && nodeWriters(after) === 0) {
    yield* iommuMap(ld, mfn, IOMMU_READ);
    yield* iommuFlush(ld);
  }
  yield* write(word, after);
  yield* grantWriteUnlock(ld);
}
