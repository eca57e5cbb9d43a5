/**
 * Vyukov's bounded queue for many producers and consumers: each cell has a sequence number that
 * says whose turn it is, positions are claimed by compare-and-swap. The wrong version claims them
 * by a store.
 *
 * cell i is free for position p when its sequence is p, full when it is p + 1
 */
import type { Op } from '../../shared/op.ts';
import {
  cmpxchg,
  loadAcquire,
  read,
  readLocal,
  readOnce,
  storeRelease,
  write,
  writeOnce,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';

const CELLS = 2;

const Mpmc = defineTable('mpmc', [], {
  enqueue: '[ANY] next position to fill',
  dequeue: '[ANY] next position to empty',
});
const Cell = defineTable('mpmc.cell[%]', ['cells'], {
  sequence: '[ANY] whose turn it is',
  value: '[HOLDER] element',
});
const Got = defineTable('got[%]', ['consumers'], { value: '[THREAD] element that it got' });

/** All cells are free. */
export function* mpmcSetup(): Op<void> {
  for (let i = 0; i < CELLS; i++) yield* writeOnce(Cell.sequence.at(i), i);
}

/** Claims a position whose cell is ready. @returns the position, or -1 if none is. */
function* claim(index: number, ahead: number, compares: number): Op {
  let position = yield* readOnce(index);
  for (;;) {
    const sequence = yield* loadAcquire(Cell.sequence.at(position % CELLS));
    if (sequence < position + ahead) return -1;
    if (sequence === position + ahead) {
      if (compares === 0) {
        yield* writeOnce(index, position + 1);
        return position;
      }
      const before = yield* cmpxchg(index, position, position + 1);
      if (before === position) return position;
      position = before;
    } else {
      position = yield* readOnce(index);
    }
  }
}

/** Puts an element in; the queue is never full here. @param compares - 1: claims by CAS. */
export function* mpmcProducer(value: number, compares: number): Op<void> {
  const position = yield* claim(Mpmc.enqueue.word, 0, compares);
  if (position < 0) return;
  yield* write(Cell.value.at(position % CELLS), value);
  yield* storeRelease(Cell.sequence.at(position % CELLS), position + 1);
}

/** Takes an element out if there is one. @param i - number of the consumer. */
export function* mpmcConsumer(i: number): Op<void> {
  const position = yield* claim(Mpmc.dequeue.word, 1, 1);
  if (position < 0) return;
  const value = yield* read(Cell.value.at(position % CELLS));
  yield* storeRelease(Cell.sequence.at(position % CELLS), position + CELLS);
  yield* writeOnce(Got.value.at(i), value);
}

/** What was put in was taken out once, or is still there. */
function ringIsWhole(consumers: number): string | null {
  const seen: number[] = [];
  for (let i = 0; i < consumers; i++) seen.push(readLocal(Got.value.at(i)));
  const last = readLocal(Mpmc.enqueue.word);
  for (let p = readLocal(Mpmc.dequeue.word); p < last; p++) {
    seen.push(readLocal(Cell.value.at(p % CELLS)));
  }
  const found = seen
    .filter((value) => value !== 0)
    .sort()
    .join();
  return found === '1,2' ? null : `elements 1,2 were put in, ${found || 'nothing'} is there`;
}

function mpmcProgram(name: string, about: string, compares: number): Program {
  return {
    name,
    about,
    param: { counts: 'consumers', least: 1, usual: 1 },
    tables: [Mpmc, Cell, Got],
    config: (n) => ({ cells: CELLS, consumers: n }),
    setup: mpmcSetup,
    actors: (n) => [
      ...threads(2, 'producer', (i) => mpmcProducer(i + 1, compares)),
      ...threads(n, 'consumer', (i) => mpmcConsumer(i)),
    ],
    final: ringIsWhole,
  };
}

export const mpmcRing = mpmcProgram(
  'mpmc-ring',
  "Vyukov's bounded queue: two producers and n consumers of one element each.",
  1,
);
export const mpmcRingWrong = mpmcProgram(
  'mpmc-ring-wrong',
  'A bounded queue whose producers claim their position by a load and a store.',
  0,
);
