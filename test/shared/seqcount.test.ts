/**
 * Goal: a read section that is not repeated saw a consistent pair.
 * Method: a writer changes two words, readers compare what they kept, in all short interleavings
 * under SC and TSO. Neither model reorders loads with loads or stores with stores, so that the
 * read and write barriers stand where they must is held against a record of the operations.
 */
import { describe, expect, test } from 'vitest';
import type { Op } from '../../src/shared/op.ts';
import { readOnce, runAlone, warnOn, writeOnce } from '../../src/shared/operations.ts';
import {
  rawReadSeqcount,
  readSeqBegin,
  readSeqRetry,
  writeSeqBegin,
  writeSeqEnd,
} from '../../src/shared/seqcount.ts';
import { BUG_TORN, arena, expectBroken, expectSafe, operationsOf, word } from './arena.ts';

const SEQ = 0;
const PAIR = 20;

function* writer(): Op<void> {
  yield* writeSeqBegin(word(SEQ));
  const next = (yield* readOnce(word(PAIR))) + 1;
  yield* writeOnce(word(PAIR), next);
  yield* writeOnce(word(PAIR + 1), next);
  yield* writeSeqEnd(word(SEQ));
}
function* twoWrites(): Op<void> {
  yield* writer();
  yield* writer();
}
function* reader(): Op<void> {
  let one = 0;
  let other = 0;
  let again = 1;
  while (again !== 0) {
    const seq = yield* readSeqBegin(word(SEQ));
    one = yield* readOnce(word(PAIR));
    other = yield* readOnce(word(PAIR + 1));
    again = yield* readSeqRetry(word(SEQ), seq);
  }
  warnOn(one !== other, BUG_TORN, one, other);
}
/** Looks at the sequence once and gives up, as lockless walks do. */
function* givesUp(): Op<void> {
  const seq = yield* rawReadSeqcount(word(SEQ));
  if ((seq & 1) !== 0) return;
  const one = yield* readOnce(word(PAIR));
  const other = yield* readOnce(word(PAIR + 1));
  if ((yield* readSeqRetry(word(SEQ), seq)) !== 0) return;
  warnOn(one !== other, BUG_TORN, one, other);
}
function* neverRetries(): Op<void> {
  yield* readSeqBegin(word(SEQ));
  const one = yield* readOnce(word(PAIR));
  const other = yield* readOnce(word(PAIR + 1));
  warnOn(one !== other, BUG_TORN, one, other);
}

describe('seqcount', () => {
  test('readers see no torn pair', () => {
    expectSafe({ bodies: [writer, reader] });
    expectSafe({ bodies: [twoWrites, reader, reader] });
  });

  test('readers that give up see no torn pair', () => {
    expectSafe({ bodies: [twoWrites, givesUp] });
  });

  test('a reader that does not look again sees a torn pair', () => {
    expectBroken(BUG_TORN, { bodies: [writer, neverRetries] });
  });

  test('the sequence is odd inside, even and moved outside', () => {
    arena();
    const before = runAlone(readSeqBegin(word(SEQ)));
    runAlone(writeSeqBegin(word(SEQ)));
    expect(runAlone(rawReadSeqcount(word(SEQ)))).toBe(before + 1);
    expect(runAlone(readSeqRetry(word(SEQ), before))).toBe(1);
    runAlone(writeSeqEnd(word(SEQ)));
    expect(runAlone(readSeqBegin(word(SEQ)))).toBe(before + 2);
    expect(runAlone(readSeqRetry(word(SEQ), before + 2))).toBe(0);
  });

  test('the barriers stand between the sequence and the data', () => {
    arena();
    expect(operationsOf(writeSeqBegin(word(SEQ)))).toEqual(['read', 'write_once', 'smp_wmb']);
    expect(operationsOf(writeSeqEnd(word(SEQ)))).toEqual(['smp_wmb', 'read', 'write_once']);
    expect(operationsOf(readSeqBegin(word(SEQ)))).toEqual(['await_equal']);
    expect(operationsOf(rawReadSeqcount(word(SEQ)))).toEqual(['load_acquire']);
    expect(operationsOf(readSeqRetry(word(SEQ), 2))).toEqual(['smp_rmb', 'read_once']);
  });
});
