/**
 * struct page's `lru`: the list node of a page that some holder keeps on a list of its own. A
 * ballooned page is on the balloon's list, or, while m2p_override has it, on a hash bucket; who
 * takes it off one list owns it until it is on the next.
 */
import { defineTable } from '../../shared/table.ts';

export const PageLru = defineTable('d%.page_lru[%]', ['domains', 'pagesPerDomain'], {
  next: '[GST] next node; the lock of the list that holds the page protects it',
  prev: '[GST] previous node; likewise',
});

/** The node of a page. @param pg - page. */
export function lruOf(pg: number): number {
  return PageLru.next.at(pg);
}

/** container_of(): the page of a node. @param node - what lruOf gave. */
export function pageOfLru(node: number): number {
  return ((node - PageLru.next.word) / PageLru.next.stride) | 0;
}
