/**
 * All tables of this room, for the machines that use any of its structures with words of their
 * own; locks that are embedded in others' tables need none.
 */
import { Clock } from './clock.ts';
import { Deferred } from './deferred.ts';
import { DelayedWork, WorkQueue } from './delayed-work.ts';
import { PercpuReader } from './percpu-rwlock.ts';
import { Rcu, RcuCallback, RcuReader } from './rcu.ts';
import type { AnyTable } from './table.ts';

/** Tables of locks, time and deferred calls. */
export const sharedTables: readonly AnyTable[] = [
  Clock,
  Deferred,
  DelayedWork,
  PercpuReader,
  Rcu,
  RcuCallback,
  RcuReader,
  WorkQueue,
];

/** Sizes that this room adds to a configuration. */
export const sharedDefaults = {
  /** RCU callbacks of a domain that can wait at once. */
  rcuCallbacks: 64,
  /** Delayed works of a domain that can be queued at once. */
  delayedWorks: 64,
};
