/**
 * One side of the torn seqlock. The words: sequence, and two that are always written together. The
 * writer does it right; of the readers (torn.reader.ts) one does not.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type * as Reader from './torn.reader.ts';
import { FIRST, SECOND, SEQUENCE, STOP } from './torn.reader.ts';

/** Reads of a call, and calls of one copy of the reader: V8 compiles it for good after 3,000. */
const READS = 64;
const CALLS = 3000;
/** Writes between two looks whether to stop. */
const WRITES = 64;

export type Side = 'writer' | 'plain' | 'atomic';

const { buffer, side } = workerData as { buffer: SharedArrayBuffer; side: Side };
const mem = new Int32Array(buffer);

async function readUntilStopped(how: 'readPlain' | 'readAtomic'): Promise<Reader.Seen> {
  const seen = { snapshots: 0, torn: 0 };
  for (let copy = 0; Atomics.load(mem, STOP) === 0; copy++) {
    const place = new URL(`torn.reader.js?copy=${copy}`, import.meta.url);
    const read = ((await import(place.href)) as typeof Reader)[how];
    for (let i = 0; i < CALLS && Atomics.load(mem, STOP) === 0; i++) read(mem, READS, seen);
  }
  return seen;
}

function writeUntilStopped(): Reader.Seen {
  for (let value = 1; Atomics.load(mem, STOP) === 0; value++) {
    for (let i = 0; i < WRITES; i++) {
      Atomics.add(mem, SEQUENCE, 1);
      Atomics.store(mem, FIRST, value + i);
      Atomics.store(mem, SECOND, value + i);
      Atomics.add(mem, SEQUENCE, 1);
    }
  }
  return { snapshots: 0, torn: 0 };
}

parentPort?.postMessage(
  side === 'writer'
    ? writeUntilStopped()
    : await readUntilStopped(side === 'plain' ? 'readPlain' : 'readAtomic'),
);
