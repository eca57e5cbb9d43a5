/** Tracepoints in words. One that has none is its constant's name with its arguments. */
import * as linux from '../linux/tracepoints.ts';
import * as mm from '../linux/mm/tracepoints.ts';
import type { Machine } from '../shared/layout.ts';
import * as xen from '../xen/tracepoints.ts';
import { pteText, typeInfoText } from './flags.ts';
import { pageText } from './words.ts';

/** What an argument is. */
type Kind = 'page' | 'pte' | 'domain' | 'type' | 'number';

/** Words with arguments in braces: `{kind}`, in order. */
const TEXTS: Readonly<Record<number, string>> = {
  [xen.TRC_PAGE_ALLOC]: 'mfn {number} allocated to {domain}',
  [xen.TRC_PAGE_FREE]: 'mfn {number} of {domain} is freed',
  [xen.TRC_GRANT_MAP]: '{domain} maps a grant: handle {number}, mfn {number}',
  [xen.TRC_GRANT_UNMAP]: '{domain} unmaps a grant: handle {number}, mfn {number}',
  [xen.TRC_GRANT_UNMAP_COMPLETE]: 'unmap complete: ref of {domain}: {number}, mfn {number}',
  [xen.TRC_GRANT_COPY]: 'grant copy from mfn {number} to mfn {number}',
  [xen.TRC_PAGE_TYPE]: 'mfn {number} changes its type from {type} to {type}',
  [xen.TRC_PAGE_VALIDATED]: 'mfn {number} is validated as {type}',
  [mm.TRACE_PAGE_ALLOC]: '{page} allocated',
  [mm.TRACE_PAGE_FREE]: '{page} is freed',
  [mm.TRACE_INVALIDATE_START]: 'invalidation begins: mm {number}, vpns {number} to {number}',
  [mm.TRACE_INVALIDATE_END]: 'invalidation is over: mm {number}, vpns {number} to {number}',
  [mm.TRACE_VMA_SPLIT]: 'vma[{number}] is split, vma[{number}] is new, at vpn {number}',
  [mm.TRACE_VMA_LOCKED]: 'vma[{number}] read-locked for vpn {number} of mm {number}',
  [mm.TRACE_ZAP]: 'zap: mm {number}, vpn {number}, entry was {pte}',
  [linux.TRACE_GUP]: 'get_user_pages: vpn {number} gave {page} (mm {number})',
  [linux.TRACE_GUP_PUT]: 'a user of get_user_pages gives {page} back',
  [linux.TRACE_GRANT_MAP]: 'gntdev maps a grant: vpn {number} over {page} (mm {number})',
  [linux.TRACE_GRANT_UNMAP]: 'unmap of the grant behind {page} is asked for',
  [linux.TRACE_GRANT_END]: 'grant of {domain} ended: ref {number}',
  [linux.TRACE_GRANT_DEFERRED]: 'grant of {domain} is still mapped: ref {number}',
  [linux.TRACE_UNMAP_BUSY]: 'a page is in use: vCPU {number} sleeps {number} jiffies, try {number}',
  [linux.TRACE_GRANT_STILL_PENDING]: 'grant of {domain} pends for 60 tries: ref {number}',
  [linux.TRACE_DMA_MAP]: 'DMA map: mfn {number}, {page}',
  [linux.TRACE_DMA_UNMAP]: 'DMA unmap begins: mfn {number}, {page}',
  [linux.TRACE_DMA_UNMAP_END]: 'DMA unmap is over: mfn {number}, {page}',
  [linux.TRACE_DMA_SYNC_CPU]: 'DMA sync for the CPU: mfn {number}, {page}',
  [linux.TRACE_DMA_SYNC_DEVICE]: 'DMA sync for the device: mfn {number}, {page}',
};

const NAMES: ReadonlyMap<number, string> = new Map(
  [xen, mm, linux].flatMap((points) =>
    Object.entries(points).flatMap(([name, id]): [number, string][] =>
      typeof id === 'number' ? [[id, name]] : [],
    ),
  ),
);

function argumentText(kind: string, value: number, machine: Machine): string {
  switch (kind as Kind) {
    case 'page':
      return value < 0 ? 'no page' : pageText(value, machine);
    case 'pte':
      return pteText(value);
    case 'domain':
      return value < 0 ? 'nobody' : `d${value}`;
    case 'type':
      return typeInfoText(value).replace(/ count 0$/, '');
    case 'number':
      return String(value);
  }
}

/** A tracepoint and its arguments in words. */
export function eventText(
  machine: Machine,
  point: number,
  values: readonly [number, number, number],
): string {
  const text = TEXTS[point];
  if (text === undefined) {
    return `${NAMES.get(point) ?? `tracepoint 0x${point.toString(16)}`} (${values.join(', ')})`;
  }
  let next = 0;
  return text.replaceAll(/\{(\w+)\}/g, (_, kind: string) =>
    argumentText(kind, values[next++] ?? 0, machine),
  );
}
