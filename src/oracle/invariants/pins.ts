/**
 * I1, when the machine is quiet: the four counters of every pin equal the live mappings that the
 * maptracks of all domains hold on it, and Xen's bits of the shared entry agree with it.
 */
import { domainCount } from '../../hardware/params.ts';
import {
  GTF_accept_transfer,
  GTF_reading,
  GTF_type_mask,
  GTF_writing,
} from '../../xen/public/grant-table.ts';
import { ActiveEntry, GNTPIN_writers_mask, pinIncrement } from '../../xen/grant-table/active.ts';
import { GrantStatus, headerFlags, statusWord } from '../../xen/grant-table/entry.ts';
import { GrantTable } from '../../xen/grant-table/lock.ts';
import { Maptrack } from '../../xen/grant-table/maptrack.ts';
import { peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { PIN_MISCOUNT, REVOKED_WHILE_PINNED } from '../violation.ts';

/** Compares pins with maptracks. */
export function checkPins(report: Report): void {
  const refs = ActiveEntry.pin.count;
  const expected = new Uint32Array(domainCount() * refs);
  for (let d = 0; d < domainCount(); d++) {
    const limit = peek(GrantTable.maptrackLimit.at(d));
    for (let handle = 0; handle < limit; handle++) {
      const flags = peek(Maptrack.flags.at2(d, handle));
      if (flags === 0) continue;
      const slot = peek(Maptrack.domid.at2(d, handle)) * refs + peek(Maptrack.ref.at2(d, handle));
      expected[slot] = (expected[slot] as number) + pinIncrement(flags);
    }
  }
  for (let d = 0; d < domainCount(); d++) {
    for (let ref = 0; ref < refs; ref++) {
      const pin = ActiveEntry.pin.at2(d, ref);
      if (peek(pin) >>> 0 !== expected[d * refs + ref]) report(-1, PIN_MISCOUNT, pin, 0);
      checkEntry(d, ref, peek(pin), report);
    }
  }
}

/**
 * I4: GTF_reading and GTF_writing are clear only without pins, or without writers. In version 2
 * they lie in the status word, and only half as many entries exist; of an entry that takes a
 * transfer the same bit means that it is completed.
 */
function checkEntry(d: number, ref: number, pin: number, report: Report): void {
  const version = peek(GrantTable.gtVersion.at(d));
  if (version !== 1 && ref >= GrantStatus.value.count) return;
  const hdr = statusWord(d, ref, version);
  const flags = headerFlags(peek(hdr));
  if (version === 1 && (flags & GTF_type_mask) === GTF_accept_transfer) return;
  const reading = (flags & GTF_reading) !== 0;
  const writing = (flags & GTF_writing) !== 0;
  const agrees = reading === (pin !== 0) && writing === ((pin & GNTPIN_writers_mask) !== 0);
  if (!agrees) report(-1, REVOKED_WHILE_PINNED, ActiveEntry.pin.at2(d, ref), hdr);
}
