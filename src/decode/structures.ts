/**
 * Which structure of kernel or hypervisor a table's records are part of, so that a view can draw
 * them as what they are. By the beginning of the table's name; the first that fits counts.
 */
import type { NamedWord } from '../report/meaning.ts';

const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/^frame\[%\]/, 'page-table'],
  [/^%v\.tlb\[/, 'tlb'],
  [/^ptl\[/, 'page-table-lock'],
  [/^vma\[/, 'vma'],
  [/^vma_node\[/, 'vma-tree'],
  [/^mm\[/, 'mm'],
  [/^%v\.mm$/, 'current-mm'],
  [/^d%\.page\[/, 'struct-page'],
  [/^d%\.p2m\[/, 'p2m'],
  [/^m2p\[/, 'm2p'],
  [/^gnttab\[d%\]\.(entry|status)\[/, 'grant-entry'],
  [/^active\[/, 'active-entry'],
  [/^maptrack\[d%\]\.entry/, 'maptrack'],
  [/^(maptrack|%v\.maptrack)/, 'maptrack-list'],
  [/^grant_table\[/, 'grant-table'],
  [/^frame_table\[/, 'page-info'],
  [/^grant_map\[/, 'grant-map'],
  [/^gntdev\[/, 'gntdev'],
  [/^gntalloc/, 'gntalloc'],
  [/^page_array\[/, 'page-array'],
  [/^linux\[d%\]\.m2p_override/, 'm2p-override'],
  [/^mmu_interval\[/, 'mmu-notifier'],
  [/^%v\.mmu_gather/, 'mmu-gather'],
  [/^(evtchn|event_lock|shared_info)|^%v\.vcpu_info/, 'event-channel'],
  [/^%v\.(cpu|reg|call)|^xen\.shootdown/, 'vcpu'],
  [/^(iommu|dev|cache|dma_handle|io_tlb|arm_p2m|memblock)\b|^%v\.sg\[/, 'dma'],
  [/\.rcu|^%v\.grant_rwlock/, 'rcu'],
  [/^(domain|heap|physmap|p2m_paging)\b|^d%\.(zone|free_page|page_lru)/, 'memory'],
  [/^(channel|request|netring|queue|receive|nic|sector|store)\b/, 'ring'],
  [/ops?\[%\]$|_op$|^%v\.(unmap|copy|reserved|map_pages)|race_hypercall/, 'hypercall'],
  [/bitmap|cache\[%\]$/, 'pool'],
  [/^oracle\./, 'oracle'],
];

/** Every structure that there is, in the order in which views show them. */
export const STRUCTURES: readonly string[] = [
  ...new Set(BY_NAME.map(([, structure]) => structure)),
  'data',
  'words',
];

/** The structure of a word. */
export function structureOf({ table, doc }: NamedWord): string {
  if (doc.startsWith('[ANY] data')) return 'data';
  return BY_NAME.find(([name]) => name.test(table))?.[1] ?? 'words';
}
