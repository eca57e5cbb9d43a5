/**
 * What a lock is tried on: a counter that is incremented by a load and a store. If two threads
 * are inside at once, an update can get lost; no schedule may lose one.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import type { AnyTable, Config } from '../../shared/table.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { mustBe, threads } from '../program.ts';

const Critical = defineTable('critical', [], { entries: '[HOLDER] entries so far' });

/** Counts one entry, in two steps. */
export function* criticalSection(): Op<void> {
  const before = yield* read(Critical.entries.word);
  yield* write(Critical.entries.word, before + 1);
}

/** What a program that tries a lock says of itself. */
export interface LockProgram {
  readonly name: string;
  readonly about: string;
  readonly tables: readonly AnyTable[];
  /** Threads, unless it is only for two. */
  readonly threads?: number;
  readonly config?: (n: number) => Config;
  readonly setup?: (n: number) => Op<void>;
  readonly body: (i: number, n: number) => Op<void>;
}

/** A program in which every thread enters the critical section once. */
export function lockProgram(lock: LockProgram): Program {
  const { name, about, tables, body, config = () => ({}) } = lock;
  const count = (n: number): number => (lock.threads === undefined ? 2 : n);
  return {
    name,
    about,
    param:
      lock.threads === undefined
        ? { counts: 'nothing: two threads', least: 1, usual: 1 }
        : { counts: 'threads', least: 1, usual: lock.threads },
    tables: [Critical, ...tables],
    config: (n) => config(count(n)),
    ...(lock.setup === undefined ? {} : { setup: lock.setup }),
    actors: (n) => threads(count(n), 'thread', (i) => body(i, count(n))),
    final: (n) => mustBe(Critical.entries.word, count(n), 'critical.entries'),
  };
}
