/**
 * Callbacks of MMU notifiers (include/linux/mmu_notifier.h: struct mmu_interval_notifier_ops):
 * MmuInterval.ops says whose. Simulated code has no function pointers.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { gntdevInvalidate } from '../drivers/gntdev/invalidate.ts';
import { MmuInterval, NOTIFIER_GNTDEV } from './mmu-notifier.ts';

/**
 * ops->invalidate(): the driver lets go of a range before it returns. Why the range is invalidated
 * is not passed on: gntdev, whose callbacks these are, never looks.
 * @param v - vCPU that runs this. @param sub - subscription. @param start - first vpn.
 * @param end - vpn after the last. @param blockable - 1 if it may sleep.
 * @returns 1, or 0 if it had to sleep and must not.
 */
export function* notifierInvalidate(
  v: number,
  sub: number,
  start: number,
  end: number,
  blockable: number,
): Op {
  if ((yield* read(MmuInterval.ops.at(sub))) !== NOTIFIER_GNTDEV) return 1;
  const object = yield* read(MmuInterval.object.at(sub));
  return yield* gntdevInvalidate(v, object, start, end, blockable);
}
