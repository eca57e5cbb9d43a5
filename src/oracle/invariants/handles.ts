/**
 * I3: every maptrack handle below the limit is in exactly one place: in a live mapping, on one
 * vCPU's free list, or in transit between the two. Stopped anywhere, a list may be in the middle
 * of a put: the tail is stored before the old tail's link. A list whose lock is held is passed
 * over; when the machine is quiet no lock is held, and nothing is in transit.
 */
import { domainCount, firstVcpuOf, kernelVcpuOf } from '../../hardware/params.ts';
import { isUnlocked } from '../../shared/spinlock.ts';
import { GrantTable } from '../../xen/grant-table/lock.ts';
import { MAPTRACK_TAIL, Maptrack, MaptrackFreelist } from '../../xen/grant-table/maptrack.ts';
import { peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { HANDLE_PLACE } from '../violation.ts';

/** @param quiet - nothing is in transit, so that every handle must be found. */
export function checkHandles(quiet: boolean, report: Report): void {
  for (let d = 0; d < domainCount(); d++) {
    const limit = peek(GrantTable.maptrackLimit.at(d));
    const places = new Uint8Array(limit);
    for (let handle = 0; handle < limit; handle++) {
      if (peek(Maptrack.flags.at2(d, handle)) !== 0) places[handle] = 1;
    }
    let complete = quiet;
    for (let v = firstVcpuOf(d); v <= kernelVcpuOf(d); v++) {
      if (isUnlocked(peek(MaptrackFreelist.lock.at(v)))) walkList(d, v, places, report);
      else complete = false;
    }
    if (!complete) continue;
    for (let handle = 0; handle < limit; handle++) {
      if (places[handle] === 0) report(-1, HANDLE_PLACE, Maptrack.flags.at2(d, handle), 0);
    }
  }
}

/** Counts the handles of one free list. A handle seen twice breaks the invariant. */
function walkList(d: number, v: number, places: Uint8Array, report: Report): void {
  let handle = peek(MaptrackFreelist.head.at(v));
  while (handle !== MAPTRACK_TAIL) {
    const ref = Maptrack.ref.at2(d, handle);
    if (handle < 0 || handle >= places.length || places[handle] !== 0) {
      report(-1, HANDLE_PLACE, ref, MaptrackFreelist.head.at(v));
      return;
    }
    places[handle] = 1;
    handle = peek(ref);
  }
}
