/**
 * What the devices do: a disk, and a network card with a disk at the far end. Both move pages by
 * DMA and compare what they fetch with the checksum that came along; a difference is corrupted
 * data, as TCP's or the file system's checksum would find it.
 *
 * The card posts every descriptor it is through with; the network stack (netstack.ts) takes them.
 * A retransmission is fetched from memory again, as with zero-copy sends in life: the card knows
 * nothing of who uses the page by then.
 */
import { dmaRead, dmaWrite } from '../../hardware/dma.ts';
import { BUG_PAYLOAD } from '../../hardware/bugs.ts';
import { Device } from '../../hardware/iommu.ts';
import { Params, vcpusPerDomain } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import {
  awaitNotEqual,
  loadAcquire,
  read,
  readLocal,
  storeRelease,
  warnOn,
  write,
  writeLocal,
} from '../../shared/operations.ts';
import { ringPut } from '../../shared/ring.ts';
import { checksumOf } from '../payload.ts';
import {
  DMA_IN,
  DMA_OUT,
  Descriptor,
  Doorbell,
  NIC,
  Queue,
  QueueDevice,
  RECEIVE,
  ReceiveWord,
  Sector,
  Sent,
  SentSlot,
  descriptorOf,
  putCompletion,
} from '../storage.ts';

/** Fetches a page and checks it. @param keep - 1 to store it in its sector. @returns status. */
function* fetchPage(dev: number, q: number, slot: number, keep: number): Op {
  const mfn = yield* read(Descriptor.mfn.at2(q, slot));
  const sector = yield* read(Descriptor.sector.at2(q, slot));
  const words = readLocal(Params.frameWords.word);
  let sum = 0;
  for (let offset = 0; offset < words; offset++) {
    const status = yield* dmaRead(dev, mfn, offset);
    if (status !== 0) return status;
    const word = readLocal(Device.value.at(dev));
    sum = checksumOf(sum, word);
    if (keep !== 0) writeLocal(Sector.value.at2(sector, offset), word);
  }
  const expected = yield* read(Descriptor.checksum.at2(q, slot));
  warnOn(sum !== expected, BUG_PAYLOAD, sector, sum);
  return 0;
}

/** Stores a sector into a page. @returns status. */
function* storePage(dev: number, q: number, slot: number): Op {
  const mfn = yield* read(Descriptor.mfn.at2(q, slot));
  const sector = yield* read(Descriptor.sector.at2(q, slot));
  const words = readLocal(Params.frameWords.word);
  for (let offset = 0; offset < words; offset++) {
    const word = readLocal(Sector.value.at2(sector, offset));
    const status = yield* dmaWrite(dev, mfn, offset, word);
    if (status !== 0) return status;
  }
  return 0;
}

/** Receives a sector into the buffer that goes with the descriptor. */
function* receive(q: number, slot: number): Op {
  const sector = yield* read(Descriptor.sector.at2(q, slot));
  const words = readLocal(Params.frameWords.word);
  for (let offset = 0; offset < words; offset++) {
    const word = readLocal(Sector.value.at2(sector, offset));
    yield* write(ReceiveWord.value.at2(descriptorOf(q, slot), offset), word);
  }
  return 0;
}

/** Does what a descriptor says. @returns 0 or DMA_*. */
function* perform(dev: number, q: number, slot: number): Op {
  switch (yield* read(Descriptor.operation.at2(q, slot))) {
    case DMA_OUT:
      return yield* fetchPage(dev, q, slot, 1);
    case DMA_IN:
      return yield* storePage(dev, q, slot);
    case RECEIVE:
      return yield* receive(q, slot);
    default:
      return yield* fetchPage(dev, q, slot, 0);
  }
}

function* finishOne(dev: number, q: number, index: number): Op<void> {
  const slot = index & (Descriptor.page.count - 1);
  const status = yield* perform(dev, q, slot);
  if (dev === NIC) {
    yield* write(Descriptor.status.at2(q, slot), status);
    const value = descriptorOf(q, slot);
    const slots = SentSlot.value.count;
    yield* ringPut(Sent.produced.word, Sent.taken.word, SentSlot.value.word, slots, value);
    return;
  }
  yield* storeRelease(QueueDevice.freed.at(q), (index + 1) | 0);
  yield* putCompletion(q, status);
}

/** One turn of a device: waits for its doorbell and works off its queues. @param dev - device. */
export function* deviceTurn(dev: number): Op<void> {
  const heard = readLocal(Doorbell.heard.at(dev));
  const rung = yield* awaitNotEqual(Doorbell.rung.at(dev), -1, heard);
  writeLocal(Doorbell.heard.at(dev), rung);
  const first = dev * vcpusPerDomain();
  for (let q = first; q < first + vcpusPerDomain(); q++) {
    const produced = yield* loadAcquire(Queue.produced.at(q));
    for (;;) {
      const index = readLocal(QueueDevice.seen.at(q));
      if (index === produced) break;
      writeLocal(QueueDevice.seen.at(q), (index + 1) | 0);
      yield* finishOne(dev, q, index);
    }
  }
}
