/** What the memory manager does a grace period after it was asked (call_rcu()). */
import type { Op } from '../../shared/op.ts';
import { RCU_FREE_TABLE } from './mmu-gather.ts';
import { putPage } from './page.ts';
import { RCU_FREE_VMA_NODE, vmaNodeFree } from './vma-tree.ts';

/**
 * Runs one callback. @param v - vCPU of the domain's kernel thread.
 * @param kind - RCU_*. @param object - what it is about.
 */
export function* runRcuCallback(v: number, kind: number, object: number): Op<void> {
  switch (kind) {
    case RCU_FREE_TABLE:
      yield* putPage(v, object);
      break;
    case RCU_FREE_VMA_NODE:
      yield* vmaNodeFree(object);
      break;
    default:
      break;
  }
}
