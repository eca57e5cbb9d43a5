/**
 * Constants by their families: `GTF_*`, `GNTMAP_*`, `PTE_*`. The doc of a field names its family,
 * so a new field needs no decoder of its own.
 */
import * as hardwareCache from '../hardware/cache.ts';
import * as iommu from '../hardware/iommu.ts';
import * as paging from '../hardware/paging.ts';
import * as slots from '../linux/drivers/gntdev/classic/slots.ts';
import * as dma from '../linux/dma/address.ts';
import * as page from '../linux/mm/page.ts';
import * as notifiers from '../linux/mm/mmu-notifier.ts';
import * as vmOps from '../linux/mm/vm-ops.ts';
import * as vma from '../linux/mm/vma.ts';
import * as uapi from '../linux/uapi/gntdev.ts';
import * as memPaging from '../xen/mem-paging.ts';
import * as pageInfo from '../xen/page-info.ts';
import * as evtchn from '../xen/public/event-channel.ts';
import * as grants from '../xen/public/grant-table.ts';

/** Names of bits, lowest first. */
export type Bits = readonly (readonly [number, string])[];

/** The constants of a module whose names begin with a prefix. */
function constantsOf(module: object, prefix: string, except: RegExp): [number, string][] {
  return Object.entries(module).flatMap(([name, value]): [number, string][] =>
    name.startsWith(prefix) && typeof value === 'number' && !except.test(name)
      ? [[value, name]]
      : [],
  );
}

/** One bit each. */
function bitsOf(module: object, prefix: string, except = /_(mask|shift|SHIFT|MASK)$/): Bits {
  return constantsOf(module, prefix, except)
    .filter(([value]) => value !== 0 && (value & (value - 1)) === 0)
    .toSorted(([a], [b]) => (a >>> 0) - (b >>> 0));
}

/** Families whose members are bits. */
export const BITS: Readonly<Record<string, Bits>> = {
  GNTMAP: bitsOf(grants, 'GNTMAP_'),
  GNTCOPY: bitsOf(grants, 'GNTCOPY_'),
  PTE: bitsOf(paging, 'PTE_'),
  VM: bitsOf(vma, 'VM_'),
  PG: bitsOf(page, 'PG_'),
  IOMMU: bitsOf(iommu, 'IOMMU_'),
  UNMAP_NOTIFY: bitsOf(uapi, 'UNMAP_NOTIFY_', /_(INDEX|OFFSET|ACTION|PORT|WORDS)$/),
};

/** Families whose members are numbers. */
export const NAMES: Readonly<Record<string, ReadonlyMap<number, string>>> = {
  GNTST: new Map(grants.GNTST_NAMES.map((name, i) => [-i, name])),
  EVTCHNSTAT: new Map(constantsOf(evtchn, 'EVTCHNSTAT_', /^$/)),
  VM_OPS: new Map(constantsOf(vmOps, 'VM_OPS_', /^$/)),
  SLOT: new Map(constantsOf(slots, 'SLOT_', /^$/)),
  LINE: new Map(constantsOf(hardwareCache, 'LINE_', /^$/)),
  RAM: new Map(constantsOf(memPaging, 'RAM_', /^$/)),
  NOTIFIER: new Map(constantsOf(notifiers, 'NOTIFIER_', /^$/)),
  DMA: new Map(constantsOf(dma, 'DMA_', /ERROR/)),
};

/** `A|B|0x100` of bits; what has no name is hexadecimal; 0 is 0. */
export function bitsText(value: number, bits: Bits): string {
  let rest = value;
  const names: string[] = [];
  for (const [bit, name] of bits) {
    if ((rest & bit) === 0) continue;
    names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0 || names.length === 0)
    names.push(rest === 0 ? '0' : `0x${(rest >>> 0).toString(16)}`);
  return names.join('|');
}

const GRANT_TYPES = ['GTF_invalid', 'GTF_permit_access', 'GTF_accept_transfer', 'GTF_transitive'];
const GRANT_BITS: Bits = [
  [grants.GTF_readonly, 'GTF_readonly'],
  [grants.GTF_reading, 'GTF_reading'],
  [grants.GTF_writing, 'GTF_writing'],
  [grants.GTF_sub_page, 'GTF_sub_page'],
];
const TRANSFER_BITS: Bits = [
  [grants.GTF_transfer_committed, 'GTF_transfer_committed'],
  [grants.GTF_transfer_completed, 'GTF_transfer_completed'],
];

/** Flags of a grant entry: `GTF_permit_access|GTF_reading`. */
export function grantFlags(flags: number): string {
  const type = flags & grants.GTF_type_mask;
  const bits = type === grants.GTF_accept_transfer ? TRANSFER_BITS : GRANT_BITS;
  const rest = flags & ~grants.GTF_type_mask;
  const name = GRANT_TYPES[type] as string;
  return rest === 0 ? name : `${name}|${bitsText(rest, bits)}`;
}

const SHORT_PTE: Bits = [
  [paging.PTE_PRESENT, 'P'],
  [paging.PTE_RW, 'RW'],
  [paging.PTE_USER, 'US'],
  [paging.PTE_ACCESSED, 'A'],
  [paging.PTE_DIRTY, 'D'],
  [paging.PTE_SPECIAL, 'SPECIAL'],
  [paging.PTE_GNTTAB, 'GNTTAB'],
  [paging.PTE_PROTNONE, 'PROTNONE'],
];

/** A page-table entry: `mfn 42 P|RW|US`; 0 is `none`. */
export function pteText(pte: number): string {
  if (pte === 0) return 'none';
  return `mfn ${paging.pteMfn(pte)} ${bitsText(paging.pteFlags(pte), SHORT_PTE)}`;
}

const TYPES = ['none', 'l1', 'l2', 'l3', 'l4', '5', '6', 'writable'];
const TYPE_BITS: Bits = bitsOf(pageInfo, 'PGT_', /_(mask|shift|page_table|page)$|PGT_none/);
const COUNT_BITS: Bits = bitsOf(pageInfo, 'PGC_');

/** typeInfo: `l1 count 2 PGT_validated`. */
export function typeInfoText(info: number): string {
  const type = TYPES[(info & pageInfo.PGT_type_mask) >>> pageInfo.PGT_type_shift] as string;
  const flags = info & ~(pageInfo.PGT_type_mask | pageInfo.PGT_count_mask);
  const count = `${type} count ${info & pageInfo.PGT_count_mask}`;
  return flags === 0 ? count : `${count} ${bitsText(flags, TYPE_BITS)}`;
}

/** countInfo: `count 2 PGC_allocated`. */
export function countInfoText(info: number): string {
  const count = `count ${info & pageInfo.PGC_count_mask}`;
  const flags = info & ~pageInfo.PGC_count_mask;
  return flags === 0 ? count : `${count} ${bitsText(flags, COUNT_BITS)}`;
}
