/**
 * Goal: `gntrace bench check` tells lookups that are right and in time from those that are wrong
 * or wait for the writer, and is not misled by a host that takes the processor away.
 * Method: a short check of two lookups; worlds that are broken from outside: an expectation that
 * is none, and a lock that is not let go; judgements of waits that are written by hand.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { Crew } from '../../bench/crew.ts';
import type { LookupName } from '../../bench/lookup-names.ts';
import type { Checked } from '../../bench/suites/check.ts';
import { decide, judge, plan, shapeOf, statusOf, watchReaders } from '../../bench/suites/check.ts';
import { BenchExpected } from '../../bench/tables.ts';
import { boundsOf } from '../../bench/waits.ts';
import { CurrentMm } from '../../src/linux/mm/mm-life.ts';
import { Mm } from '../../src/linux/mm/mm.ts';

const RUN_MS = 100;
/** Far above what a wait may take, and a host away from a thread. */
const HELD_MS = 700;
const WRITER_HOLDS = 1;

let crew: Crew | undefined;

afterEach(async () => {
  await crew?.end();
  crew = undefined;
});

async function start(lookup: LookupName): Promise<Crew> {
  crew = await Crew.start(shapeOf(lookup), plan);
  return crew;
}

describe('a check', () => {
  test.each(['p2m', 'vma-pages-seqcount'] as const)('of %s finds nothing', async (lookup) => {
    const checked = await watchReaders(await start(lookup), RUN_MS);
    expect(checked).toMatchObject({ lookup, wrong: 0 });
    expect(checked.inTime).toBe(judge(checked));
    expect(checked.lookups).toBeGreaterThan(0);
    expect(checked.writerTurns).toBeGreaterThan(0);
    expect(checked.longestMs).toBeGreaterThan(0);
    expect(checked.atMostMs).toBeLessThanOrEqual(checked.longestMs);
    expect(checked.atLeastMs).toBeLessThanOrEqual(checked.atMostMs);
  });

  test('finds a result that is not the expected one', async () => {
    const threads = await start('p2m');
    threads.machine.words[BenchExpected.value.at2(0, 0)]! ^= 1;
    const checked = await watchReaders(threads, RUN_MS);
    expect(checked.wrong).toBeGreaterThan(0);
    expect(statusOf([checked])).toBe(1);
  });

  test('finds a reader that waits for a lock', async () => {
    const threads = await start('vm-foreign');
    const { words } = threads.machine;
    const lock = Mm.mmapLock.at(words[CurrentMm.value.at(1)] as number);
    const checking = watchReaders(threads, HELD_MS);
    while (Atomics.compareExchange(words, lock, 0, WRITER_HOLDS) !== 0);
    await new Promise((resolve) => {
      setTimeout(resolve, HELD_MS);
    });
    Atomics.sub(words, lock, WRITER_HOLDS);
    Atomics.notify(words, lock);
    const checked = await checking;
    expect(checked).toMatchObject({ wrong: 0 });
    expect(checked.longestMs).toBeGreaterThan(HELD_MS / 2);
    expect(checked.inTime).not.toBe(true);
    // Where the host does not tell what it took, or took it all, nothing is certain.
    expect(statusOf([checked])).toBe(checked.atLeastMs > 10 ? 1 : 125);
  });
});

describe('the bounds of a wait', () => {
  /** Threads that ran all the time but for what they were ready and did not. */
  const counted = (readyMs: number[], stolenMs = 0, earlyMs = 0) => ({
    threads: readyMs.map((ms) => ({ ranMs: 100, readyMs: ms, turns: 1 })),
    stolenMs,
    earlyMs,
  });

  test('are the lookup itself where all ran', () => {
    expect(boundsOf(20, counted([0, 0]), 1)).toEqual({ atLeastMs: 20, atMostMs: 20 });
  });

  test('lie between the longer loss and the sum of all', () => {
    expect(boundsOf(20, counted([3, 5]), 1)).toEqual({ atLeastMs: 12, atMostMs: 15 });
    expect(boundsOf(20, counted([3, 5, 8], 1), 1)).toEqual({ atLeastMs: 3, atMostMs: 15 });
    expect(boundsOf(20, counted([19, 19]), 1)).toEqual({ atLeastMs: 0, atMostMs: 1 });
  });

  test('are opened, not moved, by what other readers lost', () => {
    expect(boundsOf(20, counted([0, 0, 20]), 1)).toEqual({ atLeastMs: 0, atMostMs: 20 });
  });

  test('excuse nothing by what was lost before the lookup began', () => {
    expect(boundsOf(20, counted([0, 30], 0, 25), 1)).toEqual({ atLeastMs: 0, atMostMs: 15 });
  });

  test.each([0, 1])('excuse a reader where thread %i neither ran nor slept', (away) => {
    const { threads, ...rest } = counted([0, 0]);
    threads[away] = { ranMs: 1, readyMs: 0, turns: 1 };
    const { atLeastMs, atMostMs } = boundsOf(50, { threads, ...rest }, 1);
    expect(atMostMs).toBeLessThan(10);
    expect(atLeastMs).toBeLessThanOrEqual(atMostMs);
  });

  test('do not excuse sleeping over and over', () => {
    const { threads, ...rest } = counted([0, 0]);
    threads[1] = { ranMs: 1, readyMs: 0, turns: 48 };
    expect(boundsOf(50, { threads, ...rest }, 1)).toEqual({ atLeastMs: 50, atMostMs: 50 });
  });

  test('are wide open where the host does not tell', () => {
    const unknown = { threads: null, stolenMs: 0, earlyMs: 0 };
    expect(boundsOf(20, unknown, 1)).toEqual({ atLeastMs: 0, atMostMs: 20 });
  });
});

describe('the judgement', () => {
  const waits = (atLeastMs: number, atMostMs: number) => ({
    longestMs: 100,
    heldUpMs: 100 - atMostMs,
    atLeastMs,
    atMostMs,
  });

  function slice(inTime: boolean | null, wrong = 0): Checked {
    const [atLeastMs, atMostMs] = inTime === null ? [0, 50] : inTime ? [0, 1] : [20, 30];
    return {
      ...waits(atLeastMs as number, atMostMs as number),
      lookup: 'p2m',
      readers: 1,
      lookups: 10,
      writerTurns: 10,
      wrong,
      retries: 1,
      inTime,
    };
  }

  const fromList = (list: Checked[]) => () => Promise.resolve(list.shift() as Checked);

  test('needs both bounds on one side of 10 ms', () => {
    expect(judge(waits(0, 10))).toBe(true);
    expect(judge(waits(9, 11))).toBe(null);
    expect(judge(waits(11, 12))).toBe(false);
  });

  test('drops slices that are not decided, and adds all up', async () => {
    const list = [slice(true), slice(null), slice(true), slice(false)];
    const checked = await decide(2, fromList(list));
    expect(checked).toMatchObject({ inTime: true, lookups: 30, retries: 3, atMostMs: 1 });
    expect(list).toHaveLength(1);
  });

  test('is late with the second slice that is, undecided after three times as many', async () => {
    const once = await decide(2, fromList([slice(true), slice(false), slice(true)]));
    expect(once).toMatchObject({ inTime: true, atMostMs: 1 });
    const late = await decide(3, fromList([slice(false), slice(true), slice(false)]));
    expect(late).toMatchObject({ inTime: false, atLeastMs: 20 });
    const unknown = await decide(1, fromList([slice(null), slice(null), slice(null)]));
    expect(unknown).toMatchObject({ inTime: null, lookups: 30 });
  });

  test('of all lookups is the exit status: wrong or late before undecided', () => {
    expect(statusOf([slice(true)])).toBe(0);
    expect(statusOf([slice(true), slice(null)])).toBe(125);
    expect(statusOf([slice(null), slice(false)])).toBe(1);
    expect(statusOf([slice(true, 1), slice(true)])).toBe(1);
  });
});
