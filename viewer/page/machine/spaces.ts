/** Address spaces: their VMAs with the pages in them, and their page tables. */
import { h } from '../dom.ts';
import type { Look, Reader } from './look.ts';
import { bitNames, rwsemText, spinlockText } from './look.ts';
import { entryBox, leafOf, pageTree } from './page-tables.ts';

/** include/linux/mm.h, as src/linux/mm/vma.ts has them. */
const VM_FLAGS: Readonly<Record<number, string>> = {
  0x1: 'read',
  0x2: 'write',
  0x8: 'shared',
  0x400: 'pfnmap',
  0x4000: 'io',
  0x20000: 'dontcopy',
  0x40000: 'dontexpand',
  0x4000000: 'foreign',
  0x10000000: 'mixedmap',
};
/** Pages of a VMA that are drawn. */
const MOST_PAGES = 64;

/** A picture for each address space that lives. */
export function spaces(look: Look): HTMLElement[] {
  const mms = look.table('mm[%]');
  const pool = look.table('mm_cache[%]');
  if (mms === null) return [];
  const live = Array.from({ length: mms.counts[0] ?? 0 }, (_, mm) => mm).filter((mm) =>
    pool === null ? mms.get('root', mm) !== 0 : inUse(pool, mm),
  );
  return live.map((mm) => spaceBox(look, mms, mm));
}

/** A bitmap of a pool has 32 objects a word. */
function inUse(pool: Reader, index: number): boolean {
  return ((pool.get('value', index >> 5) >>> (index & 31)) & 1) !== 0;
}

function spaceBox(look: Look, mms: Reader, mm: number): HTMLElement {
  const owner = mms.get('owner', mm);
  const root = mms.get('root', mm);
  const lock = (field: string, label: string, text: (value: number) => string): HTMLElement =>
    look.value(mms.word(field, mm), text(mms.get(field, mm)), label);
  const vmas = vmasOf(look, mm);
  return h(
    'section',
    { class: 'space-box' },
    h('h3', {}, `mm[${mm}]`, h('small', {}, ` of d${owner}, root in frame ${root}`)),
    h(
      'p',
      { class: 'facts' },
      lock('mmapLock', 'mmap_lock', rwsemText),
      lock('pageTableLock', 'page_table_lock', spinlockText),
    ),
    ...(vmas.length === 0 ? [h('p', {}, 'no VMAs')] : vmas.map((vma) => vmaBox(look, vma, root))),
    h('details', { open: true }, h('summary', {}, 'page tables'), pageTree(look, root)),
  );
}

function vmasOf(look: Look, mm: number): number[] {
  const vmas = look.table('vma[%]');
  const pool = look.table('vma_cache[%]');
  if (vmas === null) return [];
  return Array.from({ length: vmas.counts[0] ?? 0 }, (_, vma) => vma)
    .filter((vma) => (pool === null || inUse(pool, vma)) && vmas.get('mm', vma) === mm)
    .sort((a, b) => vmas.get('vmStart', a) - vmas.get('vmStart', b));
}

function vmaBox(look: Look, vma: number, root: number): HTMLElement {
  const vmas = look.table('vma[%]');
  if (vmas === null) return h('div', {});
  const field = (name: string): number => vmas.get(name, vma);
  const value = (name: string, text: string, label = ''): HTMLElement =>
    look.value(vmas.word(name, vma), text, label);
  const [start, end] = [field('vmStart'), field('vmEnd')];
  const pages: HTMLElement[] = [];
  for (let vpn = start; vpn < Math.min(end, start + MOST_PAGES); vpn++) {
    const leaf = leafOf(look, root, vpn);
    pages.push(
      leaf === null
        ? h('span', { class: 'entry empty', title: 'no page table' }, h('i', {}, String(vpn)), '–')
        : entryBox(look, leaf.word, leaf.pte, String(vpn)),
    );
  }
  const flags = bitNames(field('flags'), VM_FLAGS).join(' ');
  const attached = field('vmRefcnt') === 0 ? ' detached' : '';
  return h(
    'div',
    { class: `vma${attached}` },
    h(
      'p',
      { class: 'facts' },
      h('b', {}, `vma[${vma}]${attached}`),
      value('vmStart', String(start), 'from'),
      value('vmEnd', String(end), 'to'),
      value('flags', flags === '' ? 'no flags' : flags),
      value('vmRefcnt', String(field('vmRefcnt')), 'refcnt'),
      field('privateData') < 0
        ? null
        : value('privateData', String(field('privateData')), 'private'),
    ),
    h('div', { class: 'entries' }, ...pages),
  );
}
