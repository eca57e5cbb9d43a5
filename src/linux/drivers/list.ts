/**
 * Doubly linked lists in words: include/linux/list.h.
 *
 * A node is two words of a table, `next` and `prev` in this order; its name is the word index of
 * `next`, and links hold such names. A head is a node too. The owner of a node divides by its
 * table's stride to get from a node to its record (container_of).
 *
 * Lists have no lock of their own: who changes or walks one holds the lock that its table names.
 */
import type { Op } from '../../shared/op.ts';
import { read, warnOn, write, writeLocal, writeOnce } from '../../shared/operations.ts';
import { BUG_LIST_CORRUPTION } from './bugs.ts';

/** What the links of a removed node hold: words of the memory header that nobody uses. */
export const LIST_POISON = 8;

/** INIT_LIST_HEAD() at boot. @param head - node. */
export function initListHead(head: number): void {
  writeLocal(head, head);
  writeLocal(head + 1, head);
}

/** list_add(): puts a node first. @param node - not on any list. @param head - list. */
export function* listAdd(node: number, head: number): Op<void> {
  const next = yield* read(head);
  yield* link(node, head, next);
}

/** list_add_tail(): puts a node last, or before `head` if that is a node of a list. */
export function* listAddTail(node: number, head: number): Op<void> {
  const prev = yield* read(head + 1);
  yield* link(node, prev, head);
}

/** __list_add(). */
function* link(node: number, prev: number, next: number): Op<void> {
  yield* write(next + 1, node);
  yield* write(node, next);
  yield* write(node + 1, prev);
  yield* writeOnce(prev, node);
}

/** list_del(): takes a node off its list and poisons its links. */
export function* listDel(node: number): Op<void> {
  const next = yield* read(node);
  const prev = yield* read(node + 1);
  warnOn(next === LIST_POISON, BUG_LIST_CORRUPTION, node, next);
  yield* write(next + 1, prev);
  yield* writeOnce(prev, next);
  yield* write(node, LIST_POISON);
  yield* write(node + 1, LIST_POISON);
}

/** list_empty(). @returns 1 if nothing is on the list. */
export function* listEmpty(head: number): Op {
  const next = yield* read(head);
  return next === head ? 1 : 0;
}
