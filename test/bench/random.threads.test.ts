/**
 * Goal: the random campaign of the compiled lookups compares what it says, and finds a way that
 * differs, a word that it leaves and a lock that it keeps.
 * Method: a few rounds of it, alone and beside a writer; ways written by hand that are wrong in one
 * respect; locks and sections that are taken from outside.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { LookupName } from '../../bench/lookup-names.ts';
import type * as AloneModule from '../../bench/random-alone.ts';
import { Comparison } from '../../bench/random-alone.ts';
import type * as BesideModule from '../../bench/random-beside.ts';
import { leftOvers, pageCounts } from '../../bench/random-beside.ts';
import type { Way } from '../../bench/random-inputs.ts';
import { COMPARED, Tally, drawKey, randomShape } from '../../bench/random-inputs.ts';
import { benchConfig, benchTables } from '../../bench/machine.ts';
import { populate } from '../../bench/populate.ts';
import { Mm } from '../../src/linux/mm/mm.ts';
import { Page } from '../../src/linux/mm/page.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { RcuReader } from '../../src/shared/rcu.ts';
import { editionFile } from '../../src/threads/crew.ts';
import { Prng } from '../../src/threads/prng.ts';

const { compareAlone } = (await import(
  editionFile('threads', 'bench/random-alone.js').href
)) as typeof AloneModule;

const { compareBeside } = (await import(
  editionFile('fibers', 'bench/random-beside.js').href
)) as typeof BesideModule;

describe('a campaign', () => {
  test.each<LookupName>(['gup-fast-4', 'm2p-override', 'vma-pages-rcu'])(
    'of %s alone finds no difference',
    (lookup) => {
      const tally = new Tally();
      let rounds = 3;
      compareAlone(lookup, new Prng(7), tally, () => rounds-- > 0);
      expect(tally.findings).toEqual([]);
      expect(tally.alone.threads).toBeGreaterThan(0);
      expect(tally.alone.ts).toBe(2 * tally.alone.threads);
      expect(tally.alone.wasm).toBe(2 * tally.alone.threads);
    },
  );

  test('beside a writer finds what stays, and a page or none where it works', async () => {
    const tally = new Tally();
    await compareBeside('vma-pages-rcu', new Prng(7), tally, () => false);
    expect(tally.findings).toEqual([]);
    for (const variant of COMPARED) expect(tally.beside[variant]).toBeGreaterThan(0);
    expect(Math.min(tally.changing.ts, tally.changing.wasm)).toBeGreaterThan(0);
  });

  test('refuses a lookup that there is not', () => {
    const script = editionFile('fibers', 'bench/random.js').pathname;
    const { status, stderr } = spawnSync(process.execPath, [script, '--lookup', 'p2n'], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([2, 'gntrace: no lookup called "p2n": did you mean p2m?\n']);
  });
});

describe('a comparison', () => {
  const words = new Int32Array(new SharedArrayBuffer(64));
  const RESULT = 15;
  words.set([3, 4, 5]);
  /** Adds keys up and counts them in a word. */
  const sum = (wrongKey = -1, counted = 1): Way['run'] => {
    return (first, count) => {
      let total = 0;
      for (let i = 0; i < count; i++)
        total += words[first + i]! + Number(words[first + i] === wrongKey);
      words[RESULT]! += counted * count;
      return total;
    };
  };
  const right: Way = { variant: 'threads', run: sum(), exact: true };
  const comparison = new Comparison(words);

  test('finds nothing in ways that do the same', () => {
    expect(comparison.differ([right, { ...right, variant: 'ts' }], 0, 3)).toBe(null);
  });

  test('finds a result, and the key that it comes from', () => {
    const ways: Way[] = [right, { variant: 'ts', run: sum(4), exact: false }];
    expect(comparison.differ(ways, 0, 3)).toBe('ts gives 13, not 12');
    expect(comparison.firstKey(ways, 0, 3)).toBe('key 4: ts gives 5, not 4');
  });

  test('finds a word that is left otherwise, but of a batch', () => {
    const way: Way = { variant: 'wasm', run: sum(-1, 2), exact: true };
    words[RESULT] = 0;
    expect(comparison.differ([right, way], 0, 3)).toBe('wasm leaves word 15 as 6, not 3');
    expect(comparison.differ([right, { ...way, exact: false }], 0, 3)).toBe(null);
  });
});

describe('what is drawn', () => {
  test('are keys that are there, near, and any, of layouts that fit', () => {
    const prng = new Prng(1);
    const keys = Int32Array.of(1000);
    const drawn = Array.from({ length: 2000 }, () => drawKey(prng, keys));
    const there = drawn.filter((key) => key === 1000).length;
    const near = drawn.filter((key) => Math.abs(key - 1000) <= 32).length;
    expect(there).toBeGreaterThan(1000);
    expect(near).toBeGreaterThan(there);
    expect(drawn.length).toBeGreaterThan(near);
    for (let i = 0; i < 200; i++) benchConfig(randomShape('p2m', prng, 2));
  });
});

describe('what is left', () => {
  test('is a section, a lock or a reference that nobody gave back', () => {
    const shape = { lookup: 'gup-fast-4', entries: 64, vmas: 1, readers: 1, keys: 1024 } as const;
    const machine = createMachine(benchTables, benchConfig(shape));
    populate(shape);
    const { words } = machine;
    const pages = pageCounts(words);
    expect(leftOvers(machine, shape, pages)).toEqual([]);
    words[RcuReader.section.at2(0, 1)] = 0x301;
    words[Mm.mmapLock.at(0)] = 0x100;
    words[Page.refcount.at(3)]! += 1;
    expect(leftOvers(machine, shape, pages)).toEqual([
      'd0v1 is in 1 RCU sections',
      'mmap_lock of mm 0 is 256',
      `pages have ${pages + 1} references, not ${pages}`,
    ]);
  });
});
