/**
 * Devices with DMA as their drivers see them: a queue for each vCPU of the driver domain, a
 * doorbell, completions. Device 0 is a network card, in front of a disk elsewhere; device 1 is a
 * disk. Both store into sectors.
 *
 *   driver  1. fill the descriptor. 2. produced + 1 (release). 3. ring the doorbell.
 *   device  4. doorbell. 5. DMA. 6. result. 7. disk: completion into the queue's own ring;
 *           network card: into the card's, which the network stack empties.
 * A descriptor is free again when `freed` has passed it.
 */
import { Params, vcpusPerDomain } from '../hardware/params.ts';
import type { Op } from '../shared/op.ts';
import {
  awaitNotEqual,
  fetchAdd,
  readLocal,
  readOnce,
  storeRelease,
  write,
} from '../shared/operations.ts';
import { ringGet, ringPut } from '../shared/ring.ts';
import { spinLock, spinUnlock } from '../shared/spinlock.ts';
import { defineTable } from '../shared/table.ts';

export const NIC = 0;
export const DISK = 1;

/** The device fetches the page and stores it. */
export const DMA_OUT = 1;
/** The device stores a sector into the page. */
export const DMA_IN = 2;
/** The network card receives a sector into its buffer; the driver copies it. */
export const RECEIVE = 3;
/** The network card fetches the page once more and sends it again; the far end has it already. */
export const RETRANSMIT = 4;
/** A packet of a guest for another one; its `sector` is the pending_idx (netback-tx.ts). */
export const FORWARD = 5;

/** Completion: nobody acknowledged the packet. */
export const TIMED_OUT = -1;

export const Queue = defineTable(
  'queue[%]',
  ['queues'],
  { produced: '[DRV] descriptors so far', completed: '[DRV] completions taken' },
  { lineAligned: true },
);

export const QueueDevice = defineTable(
  'queue[%].device',
  ['queues'],
  {
    seen: '[DEV] descriptors the device has taken',
    freed: '[DEV,STACK] descriptors that are free again',
    completions: '[DEV,STACK] completions so far',
  },
  { lineAligned: true },
);

export const Descriptor = defineTable('queue[%].descriptor[%]', ['queues', 'queueSlots'], {
  operation: '[DRV] DMA_OUT …',
  page: '[DRV] page of which the stack holds a reference, -1 if none',
  mfn: '[DRV] bus address',
  sector: '[DRV] where on the disk',
  checksum: '[DRV] of the page, when it goes out',
  status: '[DEV] 0 or DMA_*',
});

/** What the network card received; its slots go with the descriptors'. */
export const ReceiveWord = defineTable('receive[%].word[%]', ['descriptors', 'frameWords'], {
  value: '[DEV] word of the sector',
});

/** Workload samehost: what netback's tx side received; the word goes with the descriptor. */
export const ReceivePage = defineTable('receive[%].page', ['descriptors'], {
  value: '[STACK] page of domain 0, NO_PAGE if the card has received',
});

/** Workload samehost: the lock of the connection that a queue's packets belong to. */
export const Socket = defineTable(
  'queue[%].socket',
  ['queues'],
  { lock: '[STACK] bh_lock_sock(): spinlock of the completions' },
  { lineAligned: true },
);

export const CompletionSlot = defineTable('queue[%].completion[%]', ['queues', 'queueSlots'], {
  value: '[DEV,STACK] 0 or DMA_*',
});

/** Descriptors that the network card is through with. */
export const Sent = defineTable(
  'nic.sent',
  [],
  { produced: '[DEV] so far', pad: '[BOOT] 0', taken: '[STACK] taken so far' },
  { lineAligned: true },
);

export const SentSlot = defineTable('nic.sent[%]', ['sentSlots'], {
  value: '[DEV] number of a descriptor',
});

export const Doorbell = defineTable(
  'dev[%].doorbell',
  ['devices'],
  { rung: '[DRV] times it was rung', heard: '[DEV] the last ring it heard' },
  { lineAligned: true },
);

export const Sector = defineTable('sector[%].word[%]', ['sectors', 'frameWords'], {
  value: '[DEV] contents',
});

/** The queue of a vCPU of the driver domain. @param dev - device. @param v - vCPU of domain 0. */
export function queueOf(dev: number, v: number): number {
  return dev * vcpusPerDomain() + v;
}

/** The device of a queue. */
export function deviceOf(q: number): number {
  return (q / vcpusPerDomain()) | 0;
}

/** The number of a descriptor. @param index - free-running index of its queue. */
export function descriptorOf(q: number, index: number): number {
  const slots = Descriptor.page.count;
  return q * slots + (index & (slots - 1));
}

/**
 * Driver: one more descriptor, waiting for a free one.
 * @param operation - DMA_OUT … @param pg - page that a reference goes with, -1 if none.
 * @param mfn - bus address. @returns the free-running index of the descriptor.
 */
export function* submit(
  q: number,
  operation: number,
  pg: number,
  mfn: number,
  sector: number,
  checksum: number,
): Op {
  const slots = Descriptor.page.count;
  const produced = yield* readOnce(Queue.produced.at(q));
  yield* awaitNotEqual(QueueDevice.freed.at(q), -1, (produced - slots) | 0);
  const slot = produced & (slots - 1);
  yield* write(Descriptor.operation.at2(q, slot), operation);
  yield* write(Descriptor.page.at2(q, slot), pg);
  yield* write(Descriptor.mfn.at2(q, slot), mfn);
  yield* write(Descriptor.sector.at2(q, slot), sector);
  yield* write(Descriptor.checksum.at2(q, slot), checksum);
  yield* storeRelease(Queue.produced.at(q), (produced + 1) | 0);
  return produced;
}

/** Driver: rings the doorbell. */
export function* ring(dev: number): Op<void> {
  yield* fetchAdd(Doorbell.rung.at(dev), 1);
}

/** Driver: waits for the next completion of its queue. @returns 0 or DMA_*. */
export function* takeCompletion(q: number): Op {
  return yield* ringGet(
    QueueDevice.completions.at(q),
    Queue.completed.at(q),
    CompletionSlot.value.at2(q, 0),
    CompletionSlot.value.count,
  );
}

/** Device or network stack: reports a completion. @param status - 0 or DMA_*. */
export function* putCompletion(q: number, status: number): Op<void> {
  yield* ringPut(
    QueueDevice.completions.at(q),
    Queue.completed.at(q),
    CompletionSlot.value.at2(q, 0),
    CompletionSlot.value.count,
    status,
  );
}

/** Network stack: the same where several contexts serve one connection. */
export function* putSocketCompletion(q: number, status: number): Op<void> {
  yield* spinLock(Socket.lock.at(q));
  yield* putCompletion(q, status);
  yield* spinUnlock(Socket.lock.at(q));
}

/** Number of queues of the machine. */
export function queueCount(): number {
  return readLocal(Params.devices.word) * vcpusPerDomain();
}
