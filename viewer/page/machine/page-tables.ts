/** Page tables as trees of entries, and the walk that other pictures use. */
import {
  PTE_GNTTAB,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_RW,
  PTE_SPECIAL,
  PTE_USER,
  pteMfn,
} from '../../../src/hardware/paging.ts';
import { h } from '../dom.ts';
import type { Look, Reader } from './look.ts';

const FLAGS: Readonly<Record<number, string>> = {
  [PTE_RW]: 'rw',
  [PTE_USER]: 'user',
  [PTE_SPECIAL]: 'special',
  [PTE_GNTTAB]: 'grant',
  [PTE_PROTNONE]: 'none',
};
/** Letters of the flags on an entry; the tooltip has the words. */
const LETTERS: Readonly<Record<string, string>> = {
  rw: 'w',
  user: 'u',
  special: 'S',
  grant: 'G',
  none: 'N',
};

/** The words of the machine's page tables; null if it has none. */
export function pageTableWords(look: Look): Reader | null {
  return look.tableOf('frame[%].word[%]', look.param('ptFrames'));
}

/** The flags of an entry by name, and its letters. */
export function flagsOf(pte: number): { names: string[]; letters: string } {
  const names = Object.entries(FLAGS).flatMap(([bit, name]) =>
    (pte & Number(bit)) !== 0 ? name : [],
  );
  return { names, letters: names.map((name) => LETTERS[name]).join('') };
}

/** The leaf entry of a page: its word and value; null if a table is missing on the way. */
export function leafOf(
  look: Look,
  root: number,
  vpn: number,
): { word: number; pte: number } | null {
  const words = pageTableWords(look);
  if (words === null) return null;
  const [frames = 0, entries = 1] = words.counts;
  const shift = look.param('ptShift');
  let table = root;
  for (let level = look.param('ptLevels'); level > 1; level--) {
    const pte = words.get('value', table, (vpn >> (shift * (level - 1))) & (entries - 1));
    if ((pte & PTE_PRESENT) === 0 || pteMfn(pte) >= frames) return null;
    table = pteMfn(pte);
  }
  const index = vpn & (entries - 1);
  return { word: words.word('value', table, index), pte: words.get('value', table, index) };
}

/** Who owns a frame, as Xen knows it; -1 if nobody does. */
export function ownerOf(look: Look, mfn: number): number {
  const frames = look.table('frame_table[%]');
  if (frames === null || mfn >= (frames.counts[0] ?? 0)) return -1;
  return frames.get('owner', mfn);
}

/** One entry as a box: the page, the frame, the flags. */
export function entryBox(look: Look, word: number, pte: number, page: string): HTMLElement {
  const present = (pte & PTE_PRESENT) !== 0;
  const { names, letters } = flagsOf(pte);
  const owner = present ? ownerOf(look, pteMfn(pte)) : -1;
  const whose = owner < 0 ? '' : `, frame of d${owner}`;
  const changed = look.isChanged(word);
  const state = present ? 'present' : pte === 0 ? 'empty' : 'absent';
  const stands = present ? 'present' : 'not present';
  const box = h(
    'span',
    {
      class: `entry ${state} owner${owner % 4}${changed ? ' changed' : ''}`,
      title: `${look.memory.name(word)}: ${stands} ${names.join(' ')}${whose}`,
    },
    h('i', {}, page),
    h('b', {}, pte === 0 ? '·' : String(pteMfn(pte))),
    h('small', {}, letters === '' ? ' ' : letters),
  );
  if (changed) box.append(h('span', { class: 'tag' }, 'changed'));
  return box;
}

/** The tree below a root. @param owner - domain whose address space it is. */
export function pageTree(look: Look, root: number): HTMLElement {
  const words = pageTableWords(look);
  if (words === null) return h('p', {}, 'no page tables');
  return tableBox(look, words, root, look.param('ptLevels'), 0);
}

function tableBox(
  look: Look,
  words: Reader,
  table: number,
  level: number,
  firstVpn: number,
): HTMLElement {
  const [frames = 0, entries = 1] = words.counts;
  const span = 1 << (look.param('ptShift') * (level - 1));
  const boxes: HTMLElement[] = [];
  const below: HTMLElement[] = [];
  for (let i = 0; i < entries; i++) {
    const word = words.word('value', table, i);
    const pte = words.get('value', table, i);
    const vpn = firstVpn + i * span;
    if (pte === 0 && !look.isChanged(word) && entries > 16) continue;
    boxes.push(entryBox(look, word, pte, level === 1 ? String(vpn) : `${vpn}+`));
    const leads = level > 1 && (pte & PTE_PRESENT) !== 0 && pteMfn(pte) < frames;
    if (leads) below.push(tableBox(look, words, pteMfn(pte), level - 1, vpn));
  }
  return h(
    'div',
    { class: `table level${level}` },
    h('span', { class: 'name' }, `L${level} in frame ${table}`),
    h('div', { class: 'entries' }, ...boxes),
    below.length === 0 ? null : h('div', { class: 'below' }, ...below),
  );
}
