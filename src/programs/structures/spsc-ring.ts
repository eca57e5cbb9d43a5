/**
 * A ring between one producer and one consumer (Lamport 1977): each side writes its own index
 * only. The wrong version publishes an element before it is there.
 */
import type { Op } from '../../shared/op.ts';
import { awaitNotEqual, read, storeRelease, write } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat } from '../program.ts';

const SLOTS = 2;

const Ring = defineTable('ring', [], {
  produced: '[PRODUCER] elements ever put in',
  consumed: '[CONSUMER] elements ever taken out',
});
const Slot = defineTable('ring.slot[%]', ['slots'], { value: '[PRODUCER] element' });

/** Puts in 1, 2, … count. @param early - 1: publishes before it writes. */
export function* ringProducer(count: number, early: number): Op<void> {
  for (let i = 0; i < count; i++) {
    yield* awaitNotEqual(Ring.consumed.word, -1, i - SLOTS);
    if (early === 1) yield* storeRelease(Ring.produced.word, i + 1);
    yield* write(Slot.value.at(i % SLOTS), i + 1);
    if (early === 0) yield* storeRelease(Ring.produced.word, i + 1);
  }
}

/** Takes out `count` elements, which must come in order. */
export function* ringConsumer(count: number): Op<void> {
  for (let i = 0; i < count; i++) {
    yield* awaitNotEqual(Ring.produced.word, -1, i);
    const value = yield* read(Slot.value.at(i % SLOTS));
    assertThat(value === i + 1, value, i + 1);
    yield* storeRelease(Ring.consumed.word, i + 1);
  }
}

function spscProgram(name: string, about: string, early: number): Program {
  return {
    name,
    about,
    param: { counts: 'elements', least: 1, usual: 4 },
    tables: [Ring, Slot],
    config: () => ({ slots: SLOTS }),
    actors: (n) => [
      { name: 'producer', body: () => ringProducer(n, early) },
      { name: 'consumer', body: () => ringConsumer(n) },
    ],
  };
}

export const spscRing = spscProgram(
  'spsc-ring',
  'One thread sends n elements to another through a ring of two.',
  0,
);
export const spscRingWrong = spscProgram(
  'spsc-ring-wrong',
  'A ring whose producer publishes an element before it is written.',
  1,
);
