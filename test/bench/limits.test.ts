/**
 * Goal: `gntrace bench limits` sets each way beside the way in C that it is comparable with.
 * Method: one short turn of a lookup, as a process and called here; a table of results by hand.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type * as Limits from '../../bench/limits.ts';
import { findCompiler } from '../../bench/native-reference.ts';
import { limitTable } from '../../bench/suites/limits.ts';

const main = fileURLToPath(new URL('../../dist/fibers/src/cli/main.js', import.meta.url));
const { measureLimit } = (await import(
  new URL('../../dist/threads/bench/limits.js', import.meta.url).href
)) as typeof Limits;
const compiler = await findCompiler();

const ways = [
  'wasm batch',
  'wasm loop',
  'wasm call',
  'hand loop',
  'hand batch',
  'ts batch',
  'ts loop',
  'ts call',
  'threads',
];
const short = { entries: 64, vmas: 1, turns: 1, milliseconds: 1, chunks: 1 } as const;

describe('limits of a lookup', () => {
  test('without C are rates without shares', async () => {
    const results = await measureLimit(null, { ...short, lookup: 'gup-fast-4' });
    expect(results.map(({ way }) => way)).toEqual(ways);
    expect(results.every(({ lookupsPerSecond }) => lookupsPerSecond > 0)).toBe(true);
    expect(results.every(({ shareOfNative }) => shareOfNative === null)).toBe(true);
  });

  test.skipIf(compiler === null)('are shares of C in a loop, or of C called', async () => {
    const results = await measureLimit(compiler, { ...short, lookup: 'gup-fast-4' });
    expect(results.map(({ way }) => way)).toEqual(['C', 'C call', ...ways]);
    const rateOf = (name: string) => results.find(({ way }) => way === name)!.lookupsPerSecond;
    for (const { way, lookupsPerSecond, shareOfNative } of results) {
      const limit = rateOf(way.endsWith('call') ? 'C call' : 'C');
      expect([way, shareOfNative?.toFixed(3)]).toEqual([
        way,
        (lookupsPerSecond / limit).toFixed(3),
      ]);
    }
  });

  test('are a row of a table', () => {
    const result = { lookup: 'p2m', entries: 1024, vmas: 1 } as const;
    const wasm = { ...result, way: 'wasm loop', lookupsPerSecond: 7e8, shareOfNative: null };
    const c = { ...result, way: 'C', lookupsPerSecond: 5.125e7, shareOfNative: 1 };
    expect(limitTable([[c, wasm], [{ ...wasm, lookup: 'm2p', entries: 64 }]])).toEqual([
      'M/s (of C)  entries            C  wasm loop',
      'p2m            2^10  51.3 (1.00)        700',
      'm2p              64                     700',
    ]);
  });
});

describe('the command', () => {
  const run = ['bench', 'limits', '--lookup', 'maptrack', '--entries', '2^10', '--turns', '1'];

  test('prints one object with --json', () => {
    const text = execFileSync(process.execPath, [main, ...run, '--json'], { encoding: 'utf8' });
    const { schema, node, results } = JSON.parse(text) as {
      schema: string;
      node: string;
      results: readonly Limits.LimitResult[];
    };
    expect([schema, node]).toEqual(['gntrace-limits/1', process.versions.node]);
    expect(results.map(({ way }) => way)).toContain('wasm call');
    expect(results[0]).toMatchObject({ lookup: 'maptrack', entries: 1024, vmas: 1 });
  });
});
