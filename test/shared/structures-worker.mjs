/**
 * A thread that works on the structures of src/shared as they are built for threads: it opens the
 * machine of its starter, and for each message runs the named program and answers with what the
 * program counted.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openMachine } from '../../dist/threads/src/shared/layout.js';
import { mutexLock, mutexUnlock } from '../../dist/threads/src/shared/mutex.js';
import { silent } from '../../dist/threads/src/shared/observer.js';
import { read, readOnce, write, writeOnce } from '../../dist/threads/src/shared/operations.js';
import { COUNTER_COUNT, becomeActor } from '../../dist/threads/src/shared/processor.js';
import {
  percpuReadLock,
  percpuReadUnlock,
  percpuWriteLock,
  percpuWriteUnlock,
} from '../../dist/threads/src/shared/percpu-rwlock.js';
import { mcsSpinLock, mcsSpinUnlock } from '../../dist/threads/src/shared/queued-lock.js';
import { ringGet, ringPut } from '../../dist/threads/src/shared/ring.js';
import {
  readLock,
  readUnlock,
  writeLock,
  writeUnlock,
} from '../../dist/threads/src/shared/rwlock.js';
import {
  downRead,
  downWrite,
  downgradeWrite,
  upRead,
} from '../../dist/threads/src/shared/rwsem.js';
import {
  readSeqBegin,
  readSeqRetry,
  writeSeqBegin,
  writeSeqEnd,
} from '../../dist/threads/src/shared/seqcount.js';
import { spinLock, spinUnlock } from '../../dist/threads/src/shared/spinlock.js';
import { defineTable } from '../../dist/threads/src/shared/table.js';
import { sharedTables } from '../../dist/threads/src/shared/tables.js';

const { memory, config, me } = workerData;
const Word = defineTable('word[%]', ['words'], { value: '[ALL] whatever the test needs' });
openMachine([Word, ...sharedTables], config, memory);
const word = (i) => Word.value.at(i);

// The words of the test, apart from each other; SLEEPERS is the first of SLEEPER_SLOTS.
const [ZERO, SLEEPERS, WAITS, SLEEP, LOCK, PAIR, NODES, SEQ, PRODUCER, CONSUMER, SLOTS] = [
  0, 128, 2, 4, 16, 32, 48, 64, 80, 96, 112,
];
const noLines = {
  physicalWord: 0,
  upcallWord: 0,
  upcallDeliverable: -1,
  physical() {},
  upcall() {},
};
becomeActor({
  index: me,
  controlWord: 0,
  lines: [noLines, noLines],
  sleepWords: [word(SLEEP), word(SLEEP + 1)],
  sleepersWord: word(SLEEPERS),
  waitsWord: word(WAITS + me),
  fenceWord: word(ZERO),
  zeroWord: word(ZERO),
  counters: new Float64Array(COUNTER_COUNT),
  observer: silent,
  watchedFrom: 0x7fffffff,
  choose: () => 0,
  obey() {},
});

/** A plain increment of both words: under no lock, increments are lost and pairs are torn. */
function change() {
  write(word(PAIR), read(word(PAIR)) + 1);
  write(word(PAIR + 1), read(word(PAIR + 1)) + 1);
}

/** @returns 1 if the pair is torn. */
function look() {
  return read(word(PAIR)) === read(word(PAIR + 1)) ? 0 : 1;
}

const CAPACITY = 8;
const node = word(NODES + me * 2);

/** Program → one round of it; the result counts what went wrong. */
const programs = {
  unprotected() {
    change();
    return 0;
  },
  spinlock() {
    spinLock(word(LOCK));
    change();
    spinUnlock(word(LOCK));
    return 0;
  },
  queuedLock() {
    mcsSpinLock(word(LOCK), node);
    change();
    mcsSpinUnlock(word(LOCK), node);
    return 0;
  },
  mutex() {
    mutexLock(word(LOCK));
    change();
    mutexUnlock(word(LOCK));
    return 0;
  },
  rwlockWriter() {
    writeLock(word(LOCK));
    change();
    writeUnlock(word(LOCK));
    return 0;
  },
  rwlockReader() {
    readLock(word(LOCK));
    const torn = look();
    readUnlock(word(LOCK));
    return torn;
  },
  rwsemDowngrader() {
    downWrite(word(LOCK));
    change();
    const written = read(word(PAIR));
    downgradeWrite(word(LOCK));
    const moved = read(word(PAIR)) === written ? 0 : 1;
    upRead(word(LOCK));
    return moved;
  },
  rwsemReader() {
    downRead(word(LOCK));
    const torn = look();
    upRead(word(LOCK));
    return torn;
  },
  percpuWriter() {
    percpuWriteLock(word(LOCK));
    change();
    percpuWriteUnlock(word(LOCK));
    return 0;
  },
  percpuReader() {
    percpuReadLock(me, word(LOCK));
    const torn = look();
    percpuReadUnlock(me, word(LOCK));
    return torn;
  },
  seqcountWriter() {
    writeSeqBegin(word(SEQ));
    const next = readOnce(word(PAIR)) + 1;
    writeOnce(word(PAIR), next);
    writeOnce(word(PAIR + 1), next);
    writeSeqEnd(word(SEQ));
    return 0;
  },
  seqcountReader() {
    for (;;) {
      const seq = readSeqBegin(word(SEQ));
      const one = readOnce(word(PAIR));
      const other = readOnce(word(PAIR + 1));
      if (readSeqRetry(word(SEQ), seq) === 0) return one === other ? 0 : 1;
    }
  },
  producer(round) {
    ringPut(word(PRODUCER), word(CONSUMER), word(SLOTS), CAPACITY, round);
    return 0;
  },
  consumer(round) {
    const got = ringGet(word(PRODUCER), word(CONSUMER), word(SLOTS), CAPACITY);
    return got === round ? 0 : 1;
  },
};

// The rule means the postMessage of windows.
// oxlint-disable unicorn/require-post-message-target-origin
parentPort.on('message', ({ program, rounds }) => {
  const round = programs[program];
  let wrong = 0;
  for (let i = 0; i < rounds; i++) wrong += round(i);
  parentPort.postMessage(wrong);
});
