/** Two programs that do not end: locks taken in both orders, and politeness without end. */
import type { CheckOptions } from '../../src/explore/check.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Op } from '../../src/shared/op.ts';
import { cpuRelax, readOnce, writeOnce } from '../../src/shared/operations.ts';
import { spinLock, spinTrylock, spinUnlock } from '../../src/shared/spinlock.ts';
import { defineTable } from '../../src/shared/table.ts';

export const Lock = defineTable('lock[%]', ['locks'], { value: '[ANY] spinlock' });
const Count = defineTable('count', [], { value: '[HOLDER] entries' });

function* both(first: number, second: number): Op<void> {
  yield* spinLock(Lock.value.at(first));
  yield* spinLock(Lock.value.at(second));
  const entries = yield* readOnce(Count.value.word);
  yield* writeOnce(Count.value.word, entries + 1);
  yield* spinUnlock(Lock.value.at(second));
  yield* spinUnlock(Lock.value.at(first));
}

/** Holds one lock and tries the other for ever. */
function* insistent(first: number, second: number): Op<void> {
  yield* spinLock(Lock.value.at(first));
  while ((yield* spinTrylock(Lock.value.at(second))) === 0) yield* cpuRelax();
  yield* spinUnlock(Lock.value.at(second));
  yield* spinUnlock(Lock.value.at(first));
}

/** A program of two actors that take two locks in opposite orders. */
export function opposite(how: 'waits' | 'tries'): CheckOptions {
  const machine = createMachine([Lock, Count], { locks: 2 });
  const body = how === 'waits' ? both : insistent;
  return {
    machine,
    actors: [
      { name: 'd0v0 up', body: () => body(0, 1) },
      { name: 'd0v1 down', body: () => body(1, 0) },
    ],
    maxSteps: 300,
  };
}
