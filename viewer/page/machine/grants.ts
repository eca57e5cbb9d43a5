/** Grant entries, the guest's side and Xen's beside each other; and maptrack. */
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GTF_accept_transfer,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_transitive,
  GTF_type_mask,
  GTF_writing,
} from '../../../src/xen/public/grant-table.ts';
import { h } from '../dom.ts';
import type { Look, Reader } from './look.ts';
import { bitNames, spinlockText } from './look.ts';

const TYPES: Readonly<Record<number, string>> = {
  [GTF_permit_access]: 'permit_access',
  [GTF_accept_transfer]: 'accept_transfer',
  [GTF_transitive]: 'transitive',
};
const FLAGS: Readonly<Record<number, string>> = {
  [GTF_readonly]: 'readonly',
  [GTF_reading]: 'reading',
  [GTF_writing]: 'writing',
};
const MAP_FLAGS: Readonly<Record<number, string>> = {
  [GNTMAP_device_map]: 'device_map',
  [GNTMAP_host_map]: 'host_map',
  [GNTMAP_readonly]: 'readonly',
  [GNTMAP_application_map]: 'application_map',
  [GNTMAP_contains_pte]: 'contains_pte',
};
/** The counters of a pin, by their shift. */
const PINS: readonly (readonly [string, number])[] = [
  ['hstw', 0],
  ['hstr', 8],
  ['devw', 16],
  ['devr', 24],
];
/** Free handles of a list that are drawn. */
const MOST_FREE = 10;
const MAPTRACK_TAIL = -1;

/** A card for each grant of a domain that is in use or just changed. */
export function grants(look: Look): HTMLElement[] {
  const shared = look.table('gnttab[d%].entry[%]');
  const active = look.table('active[d%].entry[%]');
  const tables = look.table('grant_table[d%]');
  if (shared === null || active === null) return [];
  const [domains = 0, refs = 0] = active.counts;
  return Array.from({ length: domains }, (_, d) => d).flatMap((d) => {
    const version = tables?.get('gtVersion', d) ?? 1;
    const entry = version === 2 ? entryV2(look, shared, d) : entryV1(shared, d);
    const cards: HTMLElement[] = [];
    for (let ref = 0; ref < refs; ref++) {
      const card = grantCard(look, active, d, ref, entry(ref));
      if (card !== null) cards.push(card);
    }
    if (cards.length === 0) return [];
    const title = h('h3', {}, `d${d} grants`, h('small', {}, ` version ${version}`));
    return h('section', { class: 'space-box' }, title, ...cards);
  });
}

/** Where the parts of a shared entry lie. */
interface SharedEntry {
  readonly header: number;
  readonly frame: number;
  /** The word with GTF_reading and GTF_writing. */
  readonly status: number;
}

function entryV1(shared: Reader, d: number): (ref: number) => SharedEntry {
  return (ref) => {
    const header = shared.word('hdr', d, ref);
    return { header, frame: shared.word('frame', d, ref), status: header };
  };
}

/** Entry `ref` lies where entries 2·ref and 2·ref + 1 of version 1 lie. */
function entryV2(look: Look, shared: Reader, d: number): (ref: number) => SharedEntry {
  const status = look.table('gnttab[d%].status[%]');
  return (ref) => ({
    header: shared.word('hdr', d, ref * 2),
    frame: shared.word('hdr', d, ref * 2 + 1),
    status: status?.word('value', d, ref) ?? shared.word('hdr', d, ref * 2),
  });
}

function grantCard(
  look: Look,
  active: Reader,
  d: number,
  ref: number,
  { header, frame, status }: SharedEntry,
): HTMLElement | null {
  const { words } = look.memory;
  const hdr = words[header] ?? 0;
  const pin = active.get('pin', d, ref);
  const own = ['pin', 'domid', 'mfn', 'lock'].map((name) => active.word(name, d, ref));
  const held = spinlockText(active.get('lock', d, ref)) === 'held';
  const used = hdr !== 0 || pin !== 0 || held;
  if (!used && !look.isChanged(header, frame, status, ...own)) return null;
  const type = TYPES[hdr & GTF_type_mask] ?? 'invalid';
  const flags = bitNames(hdr | (words[status] ?? 0), FLAGS);
  const counts = PINS.map(([name, shift]) =>
    h(
      'span',
      { class: ((pin >>> shift) & 0xff) === 0 ? 'pin' : 'pin held' },
      h('i', {}, name),
      String((pin >>> shift) & 0xff),
    ),
  );
  return h(
    'div',
    { class: 'grant' },
    h('b', { class: 'ref' }, `ref ${ref}`),
    h(
      'div',
      { class: 'facts' },
      h('small', {}, 'shared'),
      look.value(header, [type, ...flags].join(' ')),
      look.value(header, `d${hdr >>> 16}`, 'to'),
      look.value(frame, String(words[frame] ?? 0), 'frame'),
    ),
    h(
      'div',
      { class: 'facts' },
      h('small', {}, 'active'),
      h(
        'span',
        { class: look.isChanged(active.word('pin', d, ref)) ? 'pins changed' : 'pins' },
        ...counts,
        look.isChanged(active.word('pin', d, ref)) ? h('span', { class: 'tag' }, 'changed') : null,
      ),
      look.value(active.word('mfn', d, ref), String(active.get('mfn', d, ref)), 'mfn'),
      look.value(active.word('domid', d, ref), `d${active.get('domid', d, ref)}`, 'to'),
      look.value(active.word('lock', d, ref), spinlockText(active.get('lock', d, ref)), 'lock'),
    ),
  );
}

/** What each domain has mapped of others, and its free handles. */
export function maptrack(look: Look): HTMLElement[] {
  const entries = look.table('maptrack[d%].entry[%]');
  if (entries === null) return [];
  const [domains = 0, handles = 0] = entries.counts;
  return Array.from({ length: domains }, (_, d) => d).flatMap((d) => {
    const cards: HTMLElement[] = [];
    for (let handle = 0; handle < handles; handle++) {
      const fields = ['flags', 'domid', 'ref'].map((name) => entries.word(name, d, handle));
      const live = entries.get('flags', d, handle) !== 0;
      if (live || look.isChanged(...fields)) cards.push(handleCard(look, entries, d, handle));
    }
    const lists = freeLists(look, entries, d);
    if (cards.length === 0 && lists.length === 0) return [];
    const title = h('h3', {}, `d${d} maptrack`);
    return h('section', { class: 'space-box' }, title, ...cards, ...lists);
  });
}

function handleCard(look: Look, entries: Reader, d: number, handle: number): HTMLElement {
  const get = (name: string): number => entries.get(name, d, handle);
  const value = (name: string, text: string, label = ''): HTMLElement =>
    look.value(entries.word(name, d, handle), text, label);
  const live = get('flags') !== 0;
  const flags = bitNames(get('flags'), MAP_FLAGS).join(' ');
  return h(
    'div',
    { class: live ? 'grant live' : 'grant' },
    h('b', { class: 'ref' }, `handle ${handle}`),
    h(
      'div',
      { class: 'facts' },
      value('flags', live ? flags : 'not in use'),
      value('domid', `d${get('domid')}`, 'of'),
      value('ref', String(get('ref')), live ? 'ref' : 'next'),
    ),
  );
}

/** `d0v1: 2 → 3 → 4`: the handles on each vCPU's list. */
function freeLists(look: Look, entries: Reader, d: number): HTMLElement[] {
  const lists = look.table('%v.maptrack_freelist');
  const perDomain = look.memory.image.vcpusPerDomain;
  if (lists === null) return [];
  const found: HTMLElement[] = [];
  for (let v = d * perDomain; v < (d + 1) * perDomain; v++) {
    const head = lists.word('head', v);
    let handle = lists.get('head', v);
    const chain: string[] = [];
    while (handle !== MAPTRACK_TAIL && chain.length < MOST_FREE) {
      chain.push(String(handle));
      handle = entries.get('ref', d, handle);
    }
    if (chain.length === 0 && !look.isChanged(head)) continue;
    const more = handle === MAPTRACK_TAIL ? '' : ' → …';
    const text = chain.length === 0 ? 'none' : chain.join(' → ') + more;
    const value = look.value(head, text, `free on d${d}v${v % perDomain}`);
    found.push(h('p', { class: 'facts' }, value));
  }
  return found;
}
