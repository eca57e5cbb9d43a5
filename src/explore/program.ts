/** Operations that only explored programs need. */
import type { Op } from '../shared/op.ts';
import { awaitEqual } from '../shared/operations.ts';

/**
 * Goes on only if `condition` holds. Otherwise the actor stops for ever and the execution does
 * not count: neither as complete nor as a deadlock.
 */
export function* assume(condition: boolean): Op<void> {
  if (!condition) yield* awaitEqual(0, 0, 1);
}
