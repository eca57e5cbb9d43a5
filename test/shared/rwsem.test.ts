/**
 * Goal: readers share, writers exclude, a downgrade lets readers in but never a writer between.
 * Method: a writer changes two words, readers compare them, in all short interleavings under SC
 * and TSO.
 */
import { describe, expect, test } from 'vitest';
import { BUG_RWSEM_UNBALANCED } from '../../src/shared/bugs.ts';
import type { Op } from '../../src/shared/op.ts';
import { read, runAlone, warnOn } from '../../src/shared/operations.ts';
import {
  downRead,
  downReadTrylock,
  downWrite,
  downWriteTrylock,
  downgradeWrite,
  upRead,
  upWrite,
} from '../../src/shared/rwsem.ts';
import {
  BUG_TORN,
  arena,
  counts,
  expectBroken,
  expectEqual,
  expectSafe,
  increment,
  valueOf,
  word,
} from './arena.ts';

const SEM = 0;
const PAIR = 20;

function* change(): Op<void> {
  yield* increment(PAIR);
  yield* increment(PAIR + 1);
}
function* writer(): Op<void> {
  yield* downWrite(word(SEM));
  yield* change();
  yield* upWrite(word(SEM));
}
function* tryingWriter(): Op<void> {
  if ((yield* downWriteTrylock(word(SEM))) === 0) return;
  yield* change();
  yield* upWrite(word(SEM));
}
function* reader(): Op<void> {
  yield* downRead(word(SEM));
  yield* expectEqual(PAIR, PAIR + 1);
  yield* upRead(word(SEM));
}
function* tryingReader(): Op<void> {
  if ((yield* downReadTrylock(word(SEM))) === 0) return;
  yield* expectEqual(PAIR, PAIR + 1);
  yield* upRead(word(SEM));
}
/** What it wrote stays as it is while it keeps the semaphore for reading. */
function* downgrader(): Op<void> {
  yield* downWrite(word(SEM));
  yield* change();
  const written = yield* read(word(PAIR));
  yield* downgradeWrite(word(SEM));
  const later = yield* read(word(PAIR));
  warnOn(later !== written, BUG_TORN, later, written);
  yield* upRead(word(SEM));
}
function* readsTwice(): Op<void> {
  yield* downRead(word(SEM));
  yield* downRead(word(SEM));
  yield* upRead(word(SEM));
  yield* upRead(word(SEM));
}
const free = (): string | null => (valueOf(SEM) === 0 ? null : 'semaphore: not free at the end');

describe('rwsem', () => {
  test('a reader never sees what a writer does', () => {
    expectSafe({ bodies: [writer, reader], final: free });
    expectSafe({ bodies: [writer, reader, tryingReader], final: free });
  });

  test('writers exclude each other', () => {
    expectSafe({ bodies: [writer, writer], final: counts(PAIR, 2) });
  });

  test('trylocks that succeed exclude like locks', () => {
    expectSafe({ bodies: [tryingWriter, reader], final: free });
    expectSafe({ bodies: [writer, tryingReader], final: free });
  });

  test('no writer comes between writing and reading on after a downgrade', () => {
    expectSafe({ bodies: [downgrader, writer], final: free });
    expectSafe({ bodies: [downgrader, downgrader, reader], final: free });
  });

  test('after a downgrade readers get in', () => {
    arena();
    runAlone(downWrite(word(SEM)));
    expect(runAlone(downReadTrylock(word(SEM)))).toBe(0);
    runAlone(downgradeWrite(word(SEM)));
    expect(runAlone(downReadTrylock(word(SEM)))).toBe(1);
    expect(runAlone(downWriteTrylock(word(SEM)))).toBe(0);
  });

  test('reading twice deadlocks with a writer that waits in between', () => {
    expectBroken('deadlock', { bodies: [readsTwice, writer] });
  });

  test('a release without a lock is reported', () => {
    expectBroken(BUG_RWSEM_UNBALANCED, { bodies: [() => upRead(word(SEM))] });
    expectBroken(BUG_RWSEM_UNBALANCED, { bodies: [() => upWrite(word(SEM))] });
    expectBroken(BUG_RWSEM_UNBALANCED, { bodies: [() => downgradeWrite(word(SEM))] });
  });
});
