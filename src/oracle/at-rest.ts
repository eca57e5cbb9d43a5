/** The invariants of a quiet machine (Q in docs/invariants.md), all of them. */
import { Deferred } from '../shared/deferred.ts';
import { checkFrames } from './invariants/frames.ts';
import { checkLiveGrants, checkVmaSlices } from './invariants/grant-maps.ts';
import { checkHandles } from './invariants/handles.ts';
import { checkIommu } from './invariants/iommu.ts';
import { checkNotifiers } from './invariants/notifiers.ts';
import { checkP2m } from './invariants/p2m.ts';
import { checkPins } from './invariants/pins.ts';
import { checkPhysmap } from './invariants/physmap.ts';
import { peek } from './shadow-words.ts';
import type { Report } from './violation.ts';

/** Does no kernel thread have anything left to do? Else the machine is not quiet. */
export function nothingDeferred(): boolean {
  for (let d = 0; d < Deferred.pending.count; d++) {
    if (peek(Deferred.pending.at(d)) !== 0) return false;
  }
  return true;
}

/** Asked when every program is between two iterations and nothing is deferred. */
export function checkAtRest(report: Report): void {
  checkHandles(true, report);
  checkPins(report);
  checkFrames(report);
  checkIommu(report);
  checkPhysmap(report);
  checkLiveGrants(report);
  checkVmaSlices(report);
  checkP2m(report);
  checkNotifiers(report);
}
