/** What the value of a word means, by its table and field, else by what its doc says. */
import { UPCALL_MASK, UPCALL_PENDING } from '../hardware/vcpu.ts';
import { FOREIGN_DOMID_BITS } from '../linux/designs/foreign-page.ts';
import { FOREIGN_FRAME_BIT, IDENTITY_FRAME_BIT } from '../linux/mm/p2m.ts';
import { GUP_PIN_COUNTING_BIAS } from '../linux/mm/page.ts';
import { VM_REFCNT_EXCLUDE } from '../linux/mm/vma-lock.ts';
import type { NamedWord } from '../report/meaning.ts';
import type { Machine } from '../shared/layout.ts';
import { vcpuName, wordName } from '../shared/layout.ts';
import { headerDomid, headerFlags } from '../xen/grant-table/entry.ts';
import { PGC_count_mask, PGT_count_mask } from '../xen/page-info.ts';
import {
  BITS,
  NAMES,
  bitsText,
  countInfoText,
  grantFlags,
  pteText,
  typeInfoText,
} from './flags.ts';

type Decoder = (value: number, machine: Machine) => string | null;

/** A page pointer: `d0.page[15]`. */
export function pageText(value: number, { config }: Machine): string {
  if (value < 0) return 'none';
  const perDomain = config['pagesPerDomain'] ?? 1;
  return `d${Math.floor(value / perDomain)}.page[${value % perDomain}]`;
}

/** The name of the word that a word points at. */
export function pointerText(value: number, machine: Machine): string | null {
  return value > 0 && value < machine.words.length ? `&${wordName(machine, value)}` : null;
}

/** What may be the word of a page-table entry, or an address. */
function entryText(value: number, machine: Machine): string | null {
  const text = pointerText(value, machine);
  return text?.startsWith('&frame[') === true ? text : null;
}

const PIN = ['hstw', 'hstr', 'devw', 'devr'];

const COUNTS: Readonly<Record<string, (value: number) => Record<string, number>>> = {
  'd%.page[%].refcount': (value) => ({ references: value }),
  'd%.page[%].mapcount': (value) => ({ mappings: value }),
  'frame_table[%].countInfo': (value) => ({ references: value & PGC_count_mask }),
  'frame_table[%].typeInfo': (value) => ({ typeReferences: value & PGT_count_mask }),
  'active[d%].entry[%].pin': (value) =>
    Object.fromEntries(PIN.map((name, i) => [name, (value >>> (8 * i)) & 0xff])),
};

/** What a reference or pin count counts; null for other words. */
export function countOf({ table, field }: NamedWord, value: number): Record<string, number> | null {
  return COUNTS[`${table}.${field}`]?.(value) ?? null;
}

/** The pins of an active entry: `hstw 1, devr 2`. */
export function pinText(pin: number): string {
  const parts = PIN.flatMap((name, i) => {
    const count = (pin >>> (8 * i)) & 0xff;
    return count === 0 ? [] : `${name} ${count}`;
  });
  return parts.length === 0 ? '0' : parts.join(', ');
}

/** A reference count that pins of get_user_pages weigh 1024 in: `3 + 1 pinned`. */
function refcountText(value: number): string | null {
  if (value < GUP_PIN_COUNTING_BIAS) return null;
  const pins = Math.floor(value / GUP_PIN_COUNTING_BIAS);
  return `${value % GUP_PIN_COUNTING_BIAS} + ${pins} pinned`;
}

/** page->private of a foreign page (foreign-page.ts), if it can be one. */
function privateText(value: number, { config }: Machine): string | null {
  const domid = value & ((1 << FOREIGN_DOMID_BITS) - 1);
  const ref = value >>> FOREIGN_DOMID_BITS;
  const foreign = value > 0 && ref > 0 && domid < (config['domains'] ?? 0);
  return foreign ? `ref ${ref} of d${domid}` : null;
}

function p2mText(value: number): string {
  if (value === -1) return 'none';
  const mfn = value & ~(FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT);
  const foreign = (value & FOREIGN_FRAME_BIT) !== 0 ? ' foreign' : '';
  return `mfn ${mfn}${foreign}${(value & IDENTITY_FRAME_BIT) !== 0 ? ' identity' : ''}`;
}

function upcallText(value: number): string {
  const parts = [
    ...((value & UPCALL_PENDING) !== 0 ? ['pending'] : []),
    (value & UPCALL_MASK) !== 0 ? 'masked' : 'unmasked',
  ];
  return parts.join(', ');
}

function vmaRefcountText(value: number): string | null {
  if ((value & VM_REFCNT_EXCLUDE) === 0) return value === 0 ? 'detached' : null;
  return `${value & ~VM_REFCNT_EXCLUDE} + writer waits`;
}

/** Fields whose docs do not say it. */
const BY_FIELD: Readonly<Record<string, Decoder>> = {
  'gnttab[d%].entry[%].hdr': (value) =>
    value === 0 ? 'GTF_invalid' : `${grantFlags(headerFlags(value))} d${headerDomid(value)}`,
  'gnttab[d%].status[%].value': (value) => (value === 0 ? '0' : grantFlags(value).slice(12)),
  'active[d%].entry[%].pin': pinText,
  'frame_table[%].countInfo': countInfoText,
  'frame_table[%].typeInfo': typeInfoText,
  'd%.page[%].refcount': refcountText,
  'd%.page[%].private': privateText,
  'frame_table[%].next': (value) => (value < 0 ? 'none' : `mfn ${value}`),
  'd%.p2m[%].value': p2mText,
  '%v.tlb[%].pte': pteText,
  '%v.tlb[%].tag': (value) => (value === 0 ? 'empty' : `vpn ${value - 1}`),
  '%v.cpu.upcall': upcallText,
  'vma[%].vmRefcnt': vmaRefcountText,
  'd%.rcu[%].section': (value) =>
    (value & 0xff) === 0 ? `outside, ${value >>> 8}` : `inside ${value & 0xff}, ${value >>> 8}`,
};

/** What fields hold whose docs say so in these words. */
const BY_DOC: readonly (readonly [RegExp, Decoder])[] = [
  [/^page-table entry/, pteText],
  [
    /^(ballooned )?page (to|over|behind|that|which|of a|of domain|of which)\b|^(the|a) page\b/,
    pageText,
  ],
  [/^(first|next|previous) (free )?page\b(?! offset)/, pageText],
  [/^page$/, pageText],
  [/^(in: )?word of (a|the)( user)? PTE\b/, entryText],
  [/^word of\b|first word of the per-CPU/, pointerText],
  [/^bitmap\b|in use \(/, (value) => `0x${(value >>> 0).toString(16)}`],
  [/^bit v:/, (value, machine) => vcpusText(value, machine)],
  [/^vCPUs whose\b/, (value, machine) => vcpusText(value, machine)],
  [/^(domid|domain|granting domain|who grants|domain that|domain whose)\b/, domainText],
];

/** A set of vCPUs: `d0v0, d0v1`. */
function vcpusText(value: number, { config }: Machine): string {
  const perDomain = config['vcpusPerDomain'] ?? 1;
  const names: string[] = [];
  for (let v = 0; v < 32; v++) if (((value >>> v) & 1) === 1) names.push(vcpuName(v, perDomain));
  return names.length === 0 ? 'none' : names.join(', ');
}

function domainText(value: number): string | null {
  if (value < 0) return 'none';
  return value < 0x7ff0 ? `d${value}` : null;
}

/** Families that a doc can name, and how their members read. */
function familyDecoder(doc: string): Decoder | null {
  const family = /\b([A-Z][A-Z_]*)_\*/.exec(doc)?.[1] ?? '';
  const bits = BITS[family];
  if (bits !== undefined) return (value) => bitsText(value, bits);
  const names = NAMES[family];
  return names === undefined ? null : (value) => names.get(value) ?? null;
}

/** The decoder of a word; null if its number speaks for itself. */
export function decoderOf({ table, field, doc }: NamedWord): Decoder | null {
  const known = BY_FIELD[`${table}.${field}`];
  if (known !== undefined) return known;
  const text = doc.replace(/^\[[^\]]*\] /, '');
  return BY_DOC.find(([says]) => says.test(text))?.[1] ?? familyDecoder(text);
}
