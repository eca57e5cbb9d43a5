/**
 * Xen's dump of active grants (debug key g; xen/common/grant_table.c: gnttab_usage_print()), read
 * from the tables: every entry that is pinned. Reserved entries, which the toolstack maps as long
 * as a domain lives, are left out, as in the recordings.
 */
import { mem } from '../shared/memory.ts';
import {
  ActiveEntry,
  GNTPIN_cntr_mask,
  GNTPIN_devr_shift,
  GNTPIN_devw_shift,
  GNTPIN_hstr_shift,
  GNTPIN_hstw_shift,
} from '../xen/grant-table/active.ts';
import { headerDomid, headerFlags, sharedEntryHeader } from '../xen/grant-table/entry.ts';
import { GrantTable } from '../xen/grant-table/lock.ts';
import { GNTTAB_NR_RESERVED_ENTRIES } from '../xen/public/grant-table.ts';
import type { ActiveGrant } from './recording.ts';

/** Names of grants by domain and ref. */
export type GrantNames = ReadonlyMap<string, string>;

/** Key of a grant in GrantNames. */
export function grantKey(domid: number, ref: number): string {
  return `${domid}:${ref}`;
}

function now(word: number): number {
  return mem[word] as number;
}

function counter(pin: number, shift: number): number {
  return (pin >>> shift) & GNTPIN_cntr_mask;
}

function entryOf(d: number, ref: number, pin: number, name: string): ActiveGrant {
  const header = now(sharedEntryHeader(d, ref, now(GrantTable.gtVersion.at(d))));
  return {
    grant: name,
    mappedBy: now(ActiveEntry.domid.at2(d, ref)),
    pin: `0x${(pin >>> 0).toString(16).padStart(8, '0')}`,
    hstw: counter(pin, GNTPIN_hstw_shift),
    hstr: counter(pin, GNTPIN_hstr_shift),
    devw: counter(pin, GNTPIN_devw_shift),
    devr: counter(pin, GNTPIN_devr_shift),
    grantedTo: headerDomid(header),
    flags: `0x${headerFlags(header).toString(16)}`,
  };
}

/** "g12" → 12 */
function order(entry: ActiveGrant): number {
  return Number(/\d+$/.exec(entry.grant)?.[0] ?? 0);
}

/** The active grants, by their names. @param domains - domains of the machine. */
export function activeGrants(domains: number, names: GrantNames): ActiveGrant[] {
  const found: ActiveGrant[] = [];
  for (let d = 0; d < domains; d++) {
    for (let ref = GNTTAB_NR_RESERVED_ENTRIES; ref < ActiveEntry.pin.count; ref++) {
      const pin = now(ActiveEntry.pin.at2(d, ref));
      if (pin === 0) continue;
      found.push(entryOf(d, ref, pin, names.get(grantKey(d, ref)) ?? `raw:${ref}`));
    }
  }
  return found.toSorted((one, other) => order(one) - order(other));
}
