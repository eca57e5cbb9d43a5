/**
 * One side of the torn seqlock. The words: sequence, and two that are always written together. The
 * writer does it right; the readers differ in how they look at the sequence the second time.
 */
import { parentPort, workerData } from 'node:worker_threads';

const SEQUENCE = 0;
const FIRST = 16;
const SECOND = 32;
const STOP = 48;
/** Reads between two looks at the clock. */
const READS = 4096;
/** Writes between two looks whether to stop. */
const WRITES = 64;

export type Side = 'writer' | 'plain' | 'atomic';

/** What a reader saw. */
export interface Seen {
  /** Snapshots that passed the second look. */
  readonly snapshots: number;
  /** Those of them whose words were not written together. */
  readonly torn: number;
}

const { buffer, side } = workerData as { buffer: SharedArrayBuffer; side: Side };
const mem = new Int32Array(buffer);

/**
 * The mistake: the second look may be made early, or not at all. The check stands where the result
 * is used, once for each case, as it does when a lookup is inlined into its caller.
 */
function snapshotPlain(): number {
  const before = mem[SEQUENCE] as number;
  if ((before & 1) !== 0) return 0;
  const first = mem[FIRST] as number;
  if (mem[SECOND] !== first) return mem[SEQUENCE] === before ? 2 : 0;
  return mem[SEQUENCE] === before ? 1 : 0;
}

/** As readSeqBegin and readSeqRetry do it. */
function snapshotAtomic(): number {
  const before = Atomics.load(mem, SEQUENCE);
  if ((before & 1) !== 0) return 0;
  const first = Atomics.load(mem, FIRST);
  if (Atomics.load(mem, SECOND) !== first) return Atomics.load(mem, SEQUENCE) === before ? 2 : 0;
  return Atomics.load(mem, SEQUENCE) === before ? 1 : 0;
}

function readUntilStopped(snapshot: () => number): Seen {
  let snapshots = 0;
  let torn = 0;
  while (Atomics.load(mem, STOP) === 0) {
    for (let i = 0; i < READS; i++) {
      const seen = snapshot();
      if (seen !== 0) snapshots++;
      if (seen === 2) torn++;
    }
  }
  return { snapshots, torn };
}

function writeUntilStopped(): Seen {
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

if (side === 'writer') parentPort?.postMessage(writeUntilStopped());
else parentPort?.postMessage(readUntilStopped(side === 'plain' ? snapshotPlain : snapshotAtomic));
