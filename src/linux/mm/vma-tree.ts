/**
 * The VMAs of an address space in order of address: what Linux keeps in a maple tree
 * (lib/maple_tree.c, mm->mm_mt). This is a maple tree of height one: a node holds the ranges of up
 * to `vmaSlots` VMAs, sorted and disjoint, and is never changed once it is published. A change
 * builds a new node, publishes it with one release store, and frees the old one after an RCU grace
 * period. A lookup is a binary search over words that lie together, takes no lock, writes nothing
 * and never retries. What it costs is a copy of the node for each mmap or munmap, which in life is
 * a copy of the leaf and its parents.
 *
 * VmaNode.count, VmaSlot.*   written before the node is published, constant until it is freed
 * Mm.vmaNode                 the published node; written under mmap_lock write
 *
 * Changing: 1. take a free node. 2. fill it from the old one. 3. publish (release). 4. call_rcu the
 * old one. Looking up: 1. rcu_read_lock, or hold mmap_lock. 2. load the node (acquire). 3. search.
 *
 * A VMA found under RCU alone may be gone already: vma-lock.ts.
 */
import type { Op } from '../../shared/op.ts';
import { loadAcquire, read, storeRelease, write, writeLocal } from '../../shared/operations.ts';
import { callRcu } from '../../shared/rcu.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { ENOMEM } from '../errno.ts';
import { Mm } from './mm.ts';
import { NO_VMA } from './vma.ts';

/** Kind of the RCU callback that frees a node; its object is the node. */
export const RCU_FREE_VMA_NODE = 64;

export const VmaNode = defineTable('vma_node[%]', ['vmaNodes'], {
  count: '[GST] VMAs in the node',
});

export const VmaSlot = defineTable('vma_node[%].slot[%]', ['vmaNodes', 'vmaSlots'], {
  start: '[GST] first vpn',
  end: '[GST] vpn after the last',
  vma: '[GST] the VMA of the range',
});

export const VmaNodePool = defineTable('vma_node_cache[%]', ['vmaNodes'], {
  value: '[GST] bitmap of the nodes in use (slab.ts)',
});

/** The most VMAs an address space may have; one slot is left for a split (sysctl_max_map_count). */
export function maxMapCount(): number {
  return VmaSlot.vma.count - 1;
}

/** lib/maple_tree.c: mas_preallocate(). @returns a node for a change, or -ENOMEM. */
export function* vmaNodeAlloc(): Op {
  const node = yield* slabAlloc(VmaNodePool.value.at(0), VmaNodePool.value.count);
  return node < 0 ? -ENOMEM : node;
}

/** Frees a node that nobody can see: unused, or a grace period after it was replaced. */
export function* vmaNodeFree(node: number): Op<void> {
  yield* slabFree(VmaNodePool.value.at(0), node);
}

/** Gives a new address space its empty tree. @returns 0 or -ENOMEM. */
export function* vmaTreeInit(mm: number): Op {
  const node = yield* vmaNodeAlloc();
  if (node < 0) return node;
  writeLocal(VmaNode.count.at(node), 0);
  yield* storeRelease(Mm.vmaNode.at(mm), node);
  return 0;
}

function* appendSlot(node: number, start: number, end: number, vma: number): Op<void> {
  const slot = yield* read(VmaNode.count.at(node));
  yield* write(VmaSlot.start.at2(node, slot), start);
  yield* write(VmaSlot.end.at2(node, slot), end);
  yield* write(VmaSlot.vma.at2(node, slot), vma);
  yield* write(VmaNode.count.at(node), slot + 1);
}

/**
 * lib/maple_tree.c: mas_store(): the range belongs to `vma` from now on; ranges that it overlaps
 * keep what is outside of it. The caller holds mmap_lock for writing.
 * @param v - vCPU that runs this. @param node - from vmaNodeAlloc.
 * @param vma - new holder of [start, end), NO_VMA to clear it.
 */
export function* vmaTreeStore(
  v: number,
  mm: number,
  node: number,
  start: number,
  end: number,
  vma: number,
): Op<void> {
  const old = yield* read(Mm.vmaNode.at(mm));
  const count = yield* read(VmaNode.count.at(old));
  yield* write(VmaNode.count.at(node), 0);
  let stored = vma === NO_VMA;
  for (let i = 0; i < count; i++) {
    const oldStart = yield* read(VmaSlot.start.at2(old, i));
    const oldEnd = yield* read(VmaSlot.end.at2(old, i));
    const oldVma = yield* read(VmaSlot.vma.at2(old, i));
    if (oldStart < start) yield* appendSlot(node, oldStart, Math.min(oldEnd, start), oldVma);
    if (!stored && oldEnd > start) {
      yield* appendSlot(node, start, end, vma);
      stored = true;
    }
    if (oldEnd > end) yield* appendSlot(node, Math.max(oldStart, end), oldEnd, oldVma);
  }
  if (!stored) yield* appendSlot(node, start, end, vma);
  yield* storeRelease(Mm.vmaNode.at(mm), node);
  yield* callRcu(v, RCU_FREE_VMA_NODE, old);
}

/**
 * mas_store() of dup_mmap(): the last range so far of a tree that nobody else can see yet, in place
 * (mt_clear_in_rcu()).
 */
export function* vmaTreeAppend(mm: number, start: number, end: number, vma: number): Op<void> {
  yield* appendSlot(yield* read(Mm.vmaNode.at(mm)), start, end, vma);
}

/**
 * lib/maple_tree.c: mtree_range_walk(), in a leaf: the first slot whose range ends after `vpn`, by
 * binary search. @param count - of the node, read once. @returns its index, or `count`.
 */
function* lowerBound(node: number, count: number, vpn: number): Op {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((yield* read(VmaSlot.end.at2(node, middle))) > vpn) to = middle;
    else from = middle + 1;
  }
  return from;
}

/**
 * mm/mmap.c: find_vma(): the first VMA that ends after an address. The caller holds mmap_lock.
 * @returns the VMA, which may begin after `vpn`, or NO_VMA.
 */
export function* findVma(mm: number, vpn: number): Op {
  const node = yield* loadAcquire(Mm.vmaNode.at(mm));
  const count = yield* read(VmaNode.count.at(node));
  const slot = yield* lowerBound(node, count, vpn);
  if (slot === count) return NO_VMA;
  return yield* read(VmaSlot.vma.at2(node, slot));
}

/**
 * include/linux/mm.h: vma_lookup(), mas_walk(): the VMA of an address. The caller holds mmap_lock,
 * or is in an RCU read section and trusts nothing (vma-lock.ts).
 * @returns the VMA, or NO_VMA.
 */
export function* vmaLookup(mm: number, vpn: number): Op {
  const node = yield* loadAcquire(Mm.vmaNode.at(mm));
  const count = yield* read(VmaNode.count.at(node));
  const slot = yield* lowerBound(node, count, vpn);
  if (slot === count) return NO_VMA;
  if ((yield* read(VmaSlot.start.at2(node, slot))) > vpn) return NO_VMA;
  return yield* read(VmaSlot.vma.at2(node, slot));
}

/**
 * mm/mmap.c: find_vma_prev(). The caller holds mmap_lock.
 * @returns the end of the last VMA that begins before `vpn`, 0 if there is none.
 */
export function* endOfPrevious(mm: number, vpn: number): Op {
  const node = yield* loadAcquire(Mm.vmaNode.at(mm));
  const count = yield* read(VmaNode.count.at(node));
  let end = 0;
  for (let i = 0; i < count; i++) {
    if ((yield* read(VmaSlot.start.at2(node, i))) >= vpn) break;
    end = yield* read(VmaSlot.end.at2(node, i));
  }
  return end;
}
