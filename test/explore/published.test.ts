/**
 * Goal: the reductions explore exactly as many executions as the literature and other tools
 * report, and closed forms say.
 * Method: the programs of those papers, written here in a line or two each; GenMC's counts are
 * the reference for TSO.
 */
import { describe, expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { assume } from '../../src/explore/program.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  acquireWhen,
  awaitEqual,
  cmpxchg,
  fetchAdd,
  readOnce,
  smpMb,
  storeRelease,
  writeOnce,
} from '../../src/shared/operations.ts';
import { defineTable } from '../../src/shared/table.ts';

const Word = defineTable('word[%]', ['words'], { value: '[ALL] whatever the program needs' });
const at = (i: number): number => Word.value.at(i);
type Body = () => Op<unknown>;

function threads(n: number, body: (i: number) => Op<unknown>): Body[] {
  return Array.from({ length: n }, (_, i) => () => body(i));
}
function* store(i: number, value: number): Op<void> {
  yield* writeOnce(at(i), value);
}
function* loads(...words: number[]): Op<void> {
  for (const word of words) yield* readOnce(at(word));
}
function* walkDown(from: number): Op<void> {
  let i = from;
  while ((yield* readOnce(at(i))) !== 0) i--;
}
function* raise(i: number): Op<void> {
  yield* store(i + 1, (yield* readOnce(at(i))) + 1);
}
function* insertHashes(tid: number): Op<void> {
  for (let i = 0; i < 4; i++) {
    let h = ((i * 11 + tid) * 7) % 128;
    while ((yield* cmpxchg(at(h), 0, i * 11 + tid)) !== 0) h = (h + 1) % 128;
  }
}
function* addAll(words: number): Op<void> {
  for (let i = 0; i < words; i++) yield* fetchAdd(at(i), 1);
}
function* loseUpdates(rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) yield* store(0, (yield* readOnce(at(0))) + 1);
}
function* casThenStore(i: number): Op<void> {
  yield* cmpxchg(at(0), 0, 1);
  yield* store(0, i + 3);
}
function* coherence(value: number, between: number): Op<void> {
  yield* store(0, value);
  yield* loads(between, 0);
}
function* storeBoth(i: number): Op<void> {
  yield* store(1, i);
  yield* store(2, i);
}
function* fibonacci(into: number, rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) {
    yield* store(into, (yield* readOnce(at(0))) + (yield* readOnce(at(1))));
  }
}
function* lockedIncrement(): Op<void> {
  yield* acquireWhen(at(1), 1, 0, 1);
  yield* loseUpdates(1);
  yield* storeRelease(at(1), 0);
}
function* ticketIncrement(): Op<void> {
  const ticket = yield* fetchAdd(at(1), 1);
  yield* awaitEqual(at(2), -1, ticket);
  yield* loseUpdates(1);
  yield* storeRelease(at(2), ticket + 1);
}
function* dekker(i: number): Op<void> {
  yield* store(i, 1);
  yield* smpMb();
  if ((yield* readOnce(at(1 - i))) !== 0) return;
  yield* store(2, i);
  yield* loads(2);
}
function* peterson(i: number): Op<void> {
  yield* store(i, 1);
  yield* store(2, 1 - i);
  if ((yield* readOnce(at(1 - i))) !== 0) yield* assume((yield* readOnce(at(2))) === i);
  yield* store(3, i);
  yield* loads(3);
  yield* store(i, 0);
}

const programs: Record<string, (n: number) => Body[]> = {
  readers: (n) => [() => store(0, 1), ...threads(n, (i) => loads(0, i + 1))],
  lastzero: (n) => [() => walkDown(n), ...threads(n, raise)],
  indexer: (n) => threads(n, insertHashes),
  ainc: (n) => threads(n, () => addAll(1)),
  binc: (n) => threads(n, () => addAll(2)),
  inc: (n) => threads(n, () => loseUpdates(1)),
  'lost update': (k) => threads(3, () => loseUpdates(k)),
  wainc: (n) => [() => store(0, 9), ...threads(n, () => addAll(1))],
  cas: (n) => threads(n, (i) => cmpxchg(at(0), 0, i + 1)),
  casw: (n) => threads(n, casThenStore),
  CoA: (n) => [() => coherence(1, 1), () => coherence(2, 2), ...threads(n - 1, storeBoth)],
  fib: (n) => [() => fibonacci(0, n), () => fibonacci(1, n), () => loads(0, 1)],
  mutex: (n) => threads(n, lockedIncrement),
  ticket: (n) => threads(n, ticketIncrement),
  dekker: () => threads(2, dekker),
  peterson: () => threads(2, peterson),
};

function count(name: string, n: number, strategy: 'dpor' | 'optimal', memory: 'sc' | 'tso') {
  const machine = createMachine([Word], { words: 128 });
  const actors = programs[name](n).map((body, i) => ({ name: `thread ${i}`, body }));
  return check({ machine, actors, strategy, memory, executions: 1e7 });
}

describe.each(['dpor', 'optimal'] as const)('%s', (strategy) => {
  test.each([
    ['readers', 2, 4, 4],
    ['readers', 8, 256, 256],
    ['lastzero', 5, 64, 64],
    ['lastzero', 8, 704, 704],
    ['indexer', 12, 8, 8],
    ['indexer', 13, 64, 64],
    ['ainc', 5, 120, 120],
    ['binc', 3, 36, 36],
    ['binc', 4, 576, 576],
    ['inc', 3, 36, 36],
    ['inc', 4, 576, 576],
    ['lost update', 2, 7134, 7134],
    ['wainc', 4, 120, 120],
    ['cas', 6, 6, 6],
    ['casw', 3, 66, 66],
    ['casw', 4, 1200, 1200],
    ['CoA', 1, 4, 4],
    ['CoA', 2, 15, 16],
    ['CoA', 3, 130, 144],
    ['CoA', 4, 2028, 2304],
    ['mutex', 4, 24, 24],
    ['ticket', 4, 24, 24],
    ['dekker', 0, 3, 3],
    ['peterson', 0, 4, 22],
  ])('%s(%i) has %i executions under SC, %i under TSO', (name, n, sc, tso) => {
    for (const [memory, want] of [['sc', sc] as const, ['tso', tso] as const]) {
      const result = count(name, n, strategy, memory);
      expect(result).toMatchObject({ verdict: 'safe', exhausted: true, executions: want });
      if (strategy === 'optimal') expect(result.blocked).toBe(0);
    }
  });
});

test('source sets cut 15 executions short on lastzero(5), as published', () => {
  expect(count('lastzero', 5, 'dpor', 'sc').blocked).toBe(15);
});
