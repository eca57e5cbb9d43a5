/**
 * A ring with one producer and one consumer, in the manner of Xen's I/O rings
 * (xen/include/public/io/ring.h): indices run freely and wrap at 32 bits.
 *
 * producer   values put so far    [PRODUCER]
 * consumer   values taken so far  [CONSUMER]
 * slots      capacity words, capacity a power of two   [PRODUCER]
 *
 * The owner of the words passes them each time: producer and consumer lie best on lines of their
 * own. Putting: 1. slot. 2. producer + 1 (release). Taking: 1. producer (acquire). 2. slot.
 * 3. consumer + 1 (release), which gives the slot back.
 */
import { awaitNotEqual, loadAcquire, read, readOnce, storeRelease, write } from './operations.ts';
import type { Op } from './op.ts';

/** What ringTryGet returns when there is nothing: no value of a ring. */
export const RING_EMPTY = -0x80000000;

/** @returns values in the ring, from its two indices. */
export function ringCount(produced: number, consumed: number): number {
  return (produced - consumed) | 0;
}

/**
 * Puts a value if there is room. Producer only.
 * @param producer - word of the index of the producer.
 * @param consumer - word of the index of the consumer.
 * @param slots - first slot.
 * @param capacity - slots, a power of two.
 * @param value - what to put; not RING_EMPTY.
 * @returns 1 if it was put, 0 if the ring was full.
 */
export function* ringTryPut(
  producer: number,
  consumer: number,
  slots: number,
  capacity: number,
  value: number,
): Op {
  const produced = yield* readOnce(producer);
  if (ringCount(produced, yield* loadAcquire(consumer)) === capacity) return 0;
  yield* write(slots + (produced & (capacity - 1)), value);
  yield* storeRelease(producer, (produced + 1) | 0);
  return 1;
}

/**
 * Takes the oldest value, if any. Consumer only.
 * @param producer - word of the index of the producer.
 * @param consumer - word of the index of the consumer.
 * @param slots - first slot.
 * @param capacity - slots, a power of two.
 * @returns the value, or RING_EMPTY.
 */
export function* ringTryGet(
  producer: number,
  consumer: number,
  slots: number,
  capacity: number,
): Op {
  const consumed = yield* readOnce(consumer);
  if (ringCount(yield* loadAcquire(producer), consumed) === 0) return RING_EMPTY;
  const value = yield* read(slots + (consumed & (capacity - 1)));
  yield* storeRelease(consumer, (consumed + 1) | 0);
  return value;
}

/**
 * Puts a value, waiting for room. Producer only; operands as for ringTryPut.
 * @param producer - word of the index of the producer.
 * @param consumer - word of the index of the consumer.
 * @param slots - first slot.
 * @param capacity - slots, a power of two.
 * @param value - what to put.
 */
export function* ringPut(
  producer: number,
  consumer: number,
  slots: number,
  capacity: number,
  value: number,
): Op<void> {
  const produced = yield* readOnce(producer);
  yield* awaitNotEqual(consumer, -1, (produced - capacity) | 0);
  yield* write(slots + (produced & (capacity - 1)), value);
  yield* storeRelease(producer, (produced + 1) | 0);
}

/**
 * Takes the oldest value, waiting for one. Consumer only; operands as for ringTryGet.
 * @param producer - word of the index of the producer.
 * @param consumer - word of the index of the consumer.
 * @param slots - first slot.
 * @param capacity - slots, a power of two.
 * @returns the value.
 */
export function* ringGet(producer: number, consumer: number, slots: number, capacity: number): Op {
  const consumed = yield* readOnce(consumer);
  yield* awaitNotEqual(producer, -1, consumed);
  const value = yield* read(slots + (consumed & (capacity - 1)));
  yield* storeRelease(consumer, (consumed + 1) | 0);
  return value;
}
