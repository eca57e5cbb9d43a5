/**
 * The queue of Michael and Scott (PODC 1996), nodes never reused: a linked list with a dummy in
 * front, whose tail may lag behind by one.
 *
 * Enqueuing: 1. link the node behind the last by CAS from 0. 2. CAS the tail forward; whoever sees
 * it lag helps. The wrong version links by a store, so that two enqueuers can overwrite each
 * other's link.
 */
import type { Op } from '../../shared/op.ts';
import {
  cmpxchg,
  loadAcquire,
  readLocal,
  readOnce,
  storeRelease,
  writeOnce,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';

const DUMMY = 1;

const Queue = defineTable('queue', [], {
  head: '[ANY] the dummy: the node before the first',
  tail: '[ANY] the last node, or the one before it',
  taken: '[CONSUMER] bits of the nodes that were dequeued',
});
const Node = defineTable('queue.node[%]', ['nodes'], { next: '[ANY] node, 0 if it is the last' });

/** An empty queue. */
export function* msQueueSetup(): Op<void> {
  yield* writeOnce(Queue.head.word, DUMMY);
  yield* writeOnce(Queue.tail.word, DUMMY);
}

/** @param node - number of the node. @param compares - 1: links by compare-and-swap. */
export function* msEnqueue(node: number, compares: number): Op<void> {
  for (;;) {
    const tail = yield* loadAcquire(Queue.tail.word);
    const next = yield* loadAcquire(Node.next.at(tail));
    if (next !== 0) {
      yield* cmpxchg(Queue.tail.word, tail, next);
      continue;
    }
    if (compares === 0) yield* storeRelease(Node.next.at(tail), node);
    else if ((yield* cmpxchg(Node.next.at(tail), 0, node)) !== 0) continue;
    yield* cmpxchg(Queue.tail.word, tail, node);
    return;
  }
}

/** @returns the node that came first, or 0 if the queue was empty. */
export function* msDequeue(): Op {
  for (;;) {
    const head = yield* loadAcquire(Queue.head.word);
    const tail = yield* loadAcquire(Queue.tail.word);
    const next = yield* loadAcquire(Node.next.at(head));
    if (next === 0) return 0;
    if (head === tail) yield* cmpxchg(Queue.tail.word, tail, next);
    else if ((yield* cmpxchg(Queue.head.word, head, next)) === head) return next;
  }
}

/** Dequeues twice and notes what it got. */
export function* msConsumer(): Op<void> {
  for (let i = 0; i < 2; i++) {
    const node = yield* msDequeue();
    const taken = yield* readOnce(Queue.taken.word);
    if (node !== 0) yield* writeOnce(Queue.taken.word, taken | (1 << node));
  }
}

/** Every enqueued node was dequeued or is still in the queue. */
function queueIsWhole(producers: number): string | null {
  let seen = readLocal(Queue.taken.word);
  let node = readLocal(Node.next.at(readLocal(Queue.head.word)));
  while (node !== 0) {
    if ((seen & (1 << node)) !== 0) return `node ${node} is in the queue twice`;
    seen |= 1 << node;
    node = readLocal(Node.next.at(node));
  }
  for (let i = 0; i < producers; i++) {
    if ((seen & (1 << (DUMMY + 1 + i))) === 0) return `node ${DUMMY + 1 + i} is lost`;
  }
  return null;
}

function msQueueProgram(name: string, about: string, compares: number): Program {
  return {
    name,
    about,
    param: { counts: 'producers', least: 1, usual: 2 },
    tables: [Queue, Node],
    config: (n) => ({ nodes: DUMMY + 1 + n }),
    setup: msQueueSetup,
    actors: (n) => [
      ...threads(n, 'producer', (i) => msEnqueue(DUMMY + 1 + i, compares)),
      { name: 'consumer', body: () => msConsumer() },
    ],
    final: queueIsWhole,
  };
}

export const msQueue = msQueueProgram(
  'ms-queue',
  'The queue of Michael and Scott: n threads enqueue once, one dequeues twice.',
  1,
);
export const msQueueWrong = msQueueProgram(
  'ms-queue-wrong',
  'A queue whose last node is linked by a store: an element gets lost.',
  0,
);
