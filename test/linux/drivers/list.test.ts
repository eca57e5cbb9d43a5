/**
 * Goal: lists in words are the kernel's lists.
 * Method: random additions and removals against an array.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LIST_POISON,
  initListHead,
  listAdd,
  listAddTail,
  listDel,
  listEmpty,
} from '../../../src/linux/drivers/list.ts';
import { createMachine } from '../../../src/shared/layout.ts';
import { runAlone } from '../../../src/shared/operations.ts';
import { defineTable } from '../../../src/shared/table.ts';
import { now } from './guests.ts';

const Node = defineTable('node[%]', ['nodes'], { next: '[TEST] next', prev: '[TEST] previous' });
const HEAD = 0;

/** The nodes in order, once forward and once backward; both must agree. */
function nodes(): number[] {
  const head = Node.next.at(HEAD);
  const forward: number[] = [];
  for (let at = now(head); at !== head; at = now(at)) forward.push(at);
  const backward: number[] = [];
  for (let at = now(head + 1); at !== head; at = now(at + 1)) backward.unshift(at);
  expect(forward).toEqual(backward);
  return forward;
}

describe('list', () => {
  test('holds what an array would hold, in the same order', () => {
    const command = fc.tuple(
      fc.constantFrom('first', 'last', 'remove'),
      fc.integer({ min: 1, max: 7 }),
    );
    fc.assert(
      fc.property(fc.array(command), (commands) => {
        createMachine([Node], { nodes: 8 });
        const head = Node.next.at(HEAD);
        initListHead(head);
        let model: number[] = [];
        for (const [name, i] of commands) {
          const node = Node.next.at(i);
          if (name === 'remove' && model.includes(node)) {
            runAlone(listDel(node));
            model = model.filter((other) => other !== node);
            expect(now(node)).toBe(LIST_POISON);
          } else if (name === 'first' && !model.includes(node)) {
            runAlone(listAdd(node, head));
            model.unshift(node);
          } else if (name === 'last' && !model.includes(node)) {
            runAlone(listAddTail(node, head));
            model.push(node);
          }
          expect(nodes()).toEqual(model);
          expect(runAlone(listEmpty(head))).toBe(model.length === 0 ? 1 : 0);
        }
      }),
    );
  });
});
