/**
 * Goal: what goes in comes out, once and in order, across the wrap of the indices, and a slot is
 * never written before it was read.
 * Method: random commands against an array as a model; one producer and one consumer in many
 * interleavings under SC and TSO.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { runAlone, warnOn } from '../../src/shared/operations.ts';
import {
  RING_EMPTY,
  ringCount,
  ringGet,
  ringPut,
  ringTryGet,
  ringTryPut,
} from '../../src/shared/ring.ts';
import { BUG_TORN, arena, expectSafe, operationsOf, word } from './arena.ts';

const PRODUCER = 0;
const CONSUMER = 16;
const SLOTS = 32;

function* put(capacity: number, value: number): Op<void> {
  yield* ringPut(word(PRODUCER), word(CONSUMER), word(SLOTS), capacity, value);
}
function* get(capacity: number): Op {
  return yield* ringGet(word(PRODUCER), word(CONSUMER), word(SLOTS), capacity);
}
function* tryPut(capacity: number, value: number): Op {
  return yield* ringTryPut(word(PRODUCER), word(CONSUMER), word(SLOTS), capacity, value);
}
function* tryGet(capacity: number): Op {
  return yield* ringTryGet(word(PRODUCER), word(CONSUMER), word(SLOTS), capacity);
}
function* producer(): Op<void> {
  for (let value = 1; value <= 4; value++) yield* put(2, value);
}
function* consumer(): Op<void> {
  for (let value = 1; value <= 4; value++) {
    const got = yield* get(2);
    warnOn(got !== value, BUG_TORN, got, value);
  }
}
/** Neither waits: values may be refused, but none may be wrong. */
function* impatientProducer(): Op<void> {
  for (let i = 0, value = 1; i < 4; i++) value += yield* tryPut(2, value);
}
function* impatientConsumer(): Op<void> {
  let want = 1;
  for (let i = 0; i < 4; i++) {
    const got = yield* tryGet(2);
    if (got === RING_EMPTY) continue;
    warnOn(got !== want, BUG_TORN, got, want);
    want++;
  }
}

describe('ring', () => {
  test('behaves like a bounded array, from any start of its indices', () => {
    const start = fc.integer();
    const shift = fc.integer({ min: 0, max: 4 });
    const commands = fc.array(fc.option(fc.integer({ min: -5, max: 1000 })), { maxLength: 60 });
    fc.assert(
      fc.property(start, shift, commands, (from, log2, list) => {
        arena();
        const capacity = 1 << log2;
        mem[word(PRODUCER)] = from;
        mem[word(CONSUMER)] = from;
        const model: number[] = [];
        for (const value of list) {
          if (value === null) {
            expect(runAlone(tryGet(capacity))).toBe(model.shift() ?? RING_EMPTY);
          } else {
            const fits = model.length < capacity;
            expect(runAlone(tryPut(capacity, value))).toBe(fits ? 1 : 0);
            if (fits) model.push(value);
          }
          const [produced, consumed] = [mem[word(PRODUCER)], mem[word(CONSUMER)]];
          expect(ringCount(produced as number, consumed as number)).toBe(model.length);
        }
      }),
    );
  });

  test('one producer and one consumer that wait keep the order', () => {
    expectSafe({ bodies: [producer, consumer] });
  });

  test('one producer and one consumer that do not wait keep the order', () => {
    expectSafe({ bodies: [impatientProducer, impatientConsumer] });
  });

  test('indices are published with release and read with acquire', () => {
    arena();
    expect(operationsOf(tryPut(2, 7))).toEqual([
      'read_once',
      'load_acquire',
      'write',
      'store_release',
    ]);
    expect(operationsOf(tryGet(2))).toEqual(['read_once', 'load_acquire', 'read', 'store_release']);
    expect(operationsOf(put(2, 7))).toEqual([
      'read_once',
      'await_not_equal',
      'write',
      'store_release',
    ]);
    expect(operationsOf(get(2))).toEqual(['read_once', 'await_not_equal', 'read', 'store_release']);
  });
});
