/**
 * indexer(n): n threads insert into one hash table (Flanagan and Godefroid, POPL 2005). With 11
 * threads or fewer no two collide; from 12 on there are 8^(n-11) traces.
 */
import type { Op } from '../../shared/op.ts';
import { cmpxchg } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';

const SIZE = 128;
const INSERTIONS = 4;

const Slot = defineTable('table[%]', ['slots'], { value: '[ANY] 0, or the inserted number' });

/** Inserts four numbers, each at the first free slot from its hash on. @param tid - thread. */
export function* indexerThread(tid: number): Op<void> {
  for (let i = 0; i < INSERTIONS; i++) {
    const w = i * 11 + tid;
    let h = (w * 7) % SIZE;
    while ((yield* cmpxchg(Slot.value.at(h), 0, w)) !== 0) h = (h + 1) % SIZE;
  }
}

export const indexer: Program = {
  name: 'indexer',
  about: 'Each of n threads inserts four numbers into one hash table by compare-and-swap.',
  param: { counts: 'threads', least: 1, usual: 12 },
  tables: [Slot],
  config: () => ({ slots: SIZE }),
  actors: (n) => threads(n, 'inserter', indexerThread),
};
