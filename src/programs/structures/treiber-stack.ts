/**
 * Treiber's stack (IBM RJ 5118, 1986) with nodes that come back: one thread pops while another
 * pops two nodes and pushes the first again. The top then looks as it did (ABA), unless it
 * carries a count of the changes.
 *
 * top  count:16 | node:16, node 0 is none   [ANY]
 */
import type { Op } from '../../shared/op.ts';
import { cmpxchg, loadAcquire, readLocal, readOnce, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';

const NODES = 3;
const COUNT_SHIFT = 16;
const NODE_MASK = 0xffff;

const Top = defineTable('stack.top', [], { value: '[ANY] count and node' });
const Node = defineTable('stack.node[%]', ['nodes'], {
  next: '[OWNER] the node below',
  owned: '[OWNER] 1 while a thread has it',
});

/** Nodes 1, 2, 3 from the top down. */
export function* treiberSetup(): Op<void> {
  for (let node = NODES; node >= 1; node--) yield* treiberPush(node, 0);
}

/** The top after a change that puts `node` there. */
function topAfter(before: number, node: number, counted: number): number {
  return counted === 1 ? (((before >> COUNT_SHIFT) + 1) << COUNT_SHIFT) | node : node;
}

/** @param counted - 1: the top counts its changes. */
export function* treiberPush(node: number, counted: number): Op<void> {
  yield* writeOnce(Node.owned.at(node), 0);
  for (;;) {
    const top = yield* readOnce(Top.value.word);
    yield* writeOnce(Node.next.at(node), top & NODE_MASK);
    if ((yield* cmpxchg(Top.value.word, top, topAfter(top, node, counted))) === top) return;
  }
}

/** @param counted - 1: the top counts its changes. @returns the node, or 0. */
export function* treiberPop(counted: number): Op {
  for (;;) {
    const top = yield* loadAcquire(Top.value.word);
    const node = top & NODE_MASK;
    if (node === 0) return 0;
    const next = yield* readOnce(Node.next.at(node));
    if ((yield* cmpxchg(Top.value.word, top, topAfter(top, next, counted))) === top) {
      yield* writeOnce(Node.owned.at(node), 1);
      return node;
    }
  }
}

/** Pops one node and keeps it. */
export function* treiberTaker(counted: number): Op<void> {
  yield* treiberPop(counted);
}

/** Pops two nodes and pushes the first again. */
export function* treiberRecycler(counted: number): Op<void> {
  const first = yield* treiberPop(counted);
  yield* treiberPop(counted);
  if (first !== 0) yield* treiberPush(first, counted);
}

/** Every node is either on the stack or owned by somebody. */
function stackIsWhole(): string | null {
  const onStack = new Set<number>();
  let node = readLocal(Top.value.word) & NODE_MASK;
  while (node !== 0) {
    if (onStack.has(node)) return `node ${node} is on the stack twice`;
    onStack.add(node);
    if (readLocal(Node.owned.at(node)) === 1) return `node ${node} is on the stack and owned`;
    node = readLocal(Node.next.at(node));
  }
  for (let other = 1; other <= NODES; other++) {
    if (onStack.has(other) || readLocal(Node.owned.at(other)) === 1) continue;
    return `node ${other} is lost`;
  }
  return null;
}

function treiberProgram(name: string, about: string, counted: number): Program {
  return {
    name,
    about,
    param: { counts: 'threads that pop', least: 1, usual: 1 },
    tables: [Top, Node],
    config: () => ({ nodes: NODES + 1 }),
    setup: treiberSetup,
    actors: (n) => [
      ...Array.from({ length: n }, (_, i) => ({
        name: `taker${i}`,
        body: () => treiberTaker(counted),
      })),
      { name: 'recycler', body: () => treiberRecycler(counted) },
    ],
    final: stackIsWhole,
  };
}

export const treiberStack = treiberProgram(
  'treiber-stack',
  "Treiber's stack whose top counts its changes; n threads pop, one pops two and pushes one.",
  1,
);
export const treiberStackWrong = treiberProgram(
  'treiber-stack-wrong',
  "Treiber's stack without a count: a node that comes back fools a pop (ABA).",
  0,
);
