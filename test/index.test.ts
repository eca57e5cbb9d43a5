/**
 * Goal: somebody with a lock-free structure of their own tests it in a dozen lines. Method: a
 * one-place mailbox, right and wrong, through the package's front door only.
 */
import { expect, test } from 'vitest';
import {
  BrokenError,
  check,
  createMachine,
  defineTable,
  explore,
  readLocal,
  readOnce,
  writeOnce,
  awaitEqual,
} from '../src/index.ts';
import type { CheckOptions, Op } from '../src/index.ts';

const Mailbox = defineTable('mailbox', [], {
  full: '[SENDER] 1 once the letter can be read',
  letter: '[SENDER] what is sent',
  read: '[RECEIVER] what was read',
});

function* send(flagFirst: boolean): Op<void> {
  if (flagFirst) yield* writeOnce(Mailbox.full.word, 1);
  yield* writeOnce(Mailbox.letter.word, 7);
  if (!flagFirst) yield* writeOnce(Mailbox.full.word, 1);
}

function* receive(): Op<void> {
  yield* awaitEqual(Mailbox.full.word, -1, 1);
  yield* writeOnce(Mailbox.read.word, yield* readOnce(Mailbox.letter.word));
}

function mailbox(flagFirst: boolean): CheckOptions {
  return {
    machine: createMachine([Mailbox], {}),
    actors: [
      { name: 'sender', body: () => send(flagFirst) },
      { name: 'receiver', body: receive },
    ],
    final: () => (readLocal(Mailbox.read.word) === 7 ? null : 'letter: read before it was written'),
    strategy: 'optimal',
  };
}

test('a right structure is exhausted under both memory models', () => {
  for (const memory of ['sc', 'tso'] as const) {
    expect(check({ ...mailbox(false), memory }).exhausted).toBe(true);
  }
});

test('a wrong one throws with the message and the seed', () => {
  expect(() => check(mailbox(true))).toThrow(BrokenError);
  expect(() => check(mailbox(true))).toThrow(/letter: read before it was written[^]*seed gnt1\./);
  expect(explore(mailbox(true)).verdict).toBe('broken');
});
