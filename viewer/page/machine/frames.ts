/** Machine frames as Xen accounts for them, and what the TLBs still hold. */
import {
  PGC_allocated,
  PGC_count_mask,
  PGT_count_mask,
  PGT_type_mask,
  PGT_type_shift,
} from '../../../src/xen/page-info.ts';
import { pteMfn } from '../../../src/hardware/paging.ts';
import { h } from '../dom.ts';
import type { Look } from './look.ts';
import { flagsOf } from './page-tables.ts';

const TYPES: Readonly<Record<number, string>> = {
  0: '',
  1: 'L1',
  2: 'L2',
  3: 'L3',
  4: 'L4',
  7: 'wr',
};

/** A square for each frame that anybody owns or that just changed. */
export function frames(look: Look): HTMLElement | null {
  const table = look.table('frame_table[%]');
  if (table === null) return null;
  const squares: HTMLElement[] = [];
  for (let mfn = 0; mfn < (table.counts[0] ?? 0); mfn++) {
    const [count, type, owner] = ['countInfo', 'typeInfo', 'owner'].map((f) => table.get(f, mfn));
    const words = ['countInfo', 'typeInfo', 'owner'].map((field) => table.word(field, mfn));
    const references = (count ?? 0) & PGC_count_mask;
    const changed = look.isChanged(...words);
    if ((owner ?? -1) < 0 && references === 0 && !changed) continue;
    const kind = TYPES[((type ?? 0) & PGT_type_mask) >>> PGT_type_shift] ?? '?';
    const uses = (type ?? 0) & PGT_count_mask;
    const given = ((count ?? 0) & PGC_allocated) !== 0 ? 'allocated' : 'not allocated';
    const whose = (owner ?? -1) < 0 ? 'nobody' : `d${owner}`;
    const used = `type ${kind || 'none'} used ${uses} times`;
    squares.push(
      h(
        'span',
        {
          class: `frame owner${(owner ?? -1) % 4}${changed ? ' changed' : ''}`,
          title: `frame ${mfn} of ${whose}, ${given}: ${references} references, ${used}`,
        },
        h('i', {}, String(mfn)),
        h('b', {}, String(references)),
        h('small', {}, kind === '' ? ' ' : `${kind}·${uses}`),
        changed ? h('span', { class: 'tag' }, 'changed') : null,
      ),
    );
  }
  if (squares.length === 0) return null;
  return h(
    'section',
    { class: 'space-box' },
    h('h3', {}, 'machine frames', h('small', {}, ' number, references, type and its uses')),
    h('div', { class: 'frames' }, ...squares),
  );
}

/** The translations that vCPUs hold. */
export function tlbs(look: Look): HTMLElement | null {
  const table = look.table('%v.tlb[%]');
  if (table === null) return null;
  const [vcpus = 0, slots = 0] = table.counts;
  const perDomain = look.memory.image.vcpusPerDomain;
  const lines: HTMLElement[] = [];
  for (let v = 0; v < vcpus; v++) {
    const values: HTMLElement[] = [];
    for (let slot = 0; slot < slots; slot++) {
      const tag = table.word('tag', v, slot);
      const vpn = table.get('tag', v, slot) - 1;
      if (vpn < 0 && !look.isChanged(tag)) continue;
      const pte = table.get('pte', v, slot);
      const flags = flagsOf(pte).names.join(' ');
      values.push(look.value(tag, vpn < 0 ? 'flushed' : `${vpn} → frame ${pteMfn(pte)} ${flags}`));
    }
    if (values.length === 0) continue;
    const name = `d${Math.floor(v / perDomain)}v${v % perDomain}`;
    lines.push(h('p', { class: 'facts' }, h('b', {}, name), ...values));
  }
  if (lines.length === 0) return null;
  return h('section', { class: 'space-box' }, h('h3', {}, 'TLBs'), ...lines);
}
