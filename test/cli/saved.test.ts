/**
 * Goal: a schedule that is too long for a line is handed over as a file, and nothing but such a
 * file passes for one.
 * Method: round trips through files; every line of one left out, changed or doubled; the commands
 * with files in the place of seeds.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pasteable, readSeed } from '../../src/cli/saved.ts';
import { seededProgram } from '../../src/cli/seeded.ts';
import { UsageError } from '../../src/cli/usage.ts';
import { replay } from '../../src/explore/replay.ts';
import type { Seed } from '../../src/explore/seed.ts';
import { SeedError, formatSeed } from '../../src/explore/seed.ts';
import { SEED_CHARACTERS, formatTraceFile, parseTraceFile } from '../../src/explore/trace-file.ts';

const room = mkdtempSync(join(tmpdir(), 'gntrace-saved-'));
const elsewhere = process.cwd();

beforeAll(() => process.chdir(room));
afterAll(() => {
  process.chdir(elsewhere);
  rmSync(room, { recursive: true });
});

const sample: Seed = {
  scenario: 'program/lastzero',
  design: '',
  param: 3,
  memory: 'tso',
  workload: 7,
  strategy: 'pct',
  schedule: Array.from({ length: 3000 }, (_, i) => (i * i) % 7),
  choices: [],
  without: [2],
};

function fileOf(content: string): string {
  const file = join(room, 'some.trace');
  writeFileSync(file, content);
  return file;
}

describe('trace files', () => {
  test('what is written is read again, in short lines', () => {
    const schedules = fc.array(fc.nat(70), { maxLength: 500 });
    fc.assert(
      fc.property(schedules, (schedule) => {
        const seed = { ...sample, schedule };
        const text = formatTraceFile(seed);
        expect(parseTraceFile(text)).toEqual(seed);
        expect(parseTraceFile(text.replaceAll('\n', '\r\n'))).toEqual(seed);
        expect(text.split('\n').every((line) => line.length <= 96)).toBe(true);
      }),
    );
  });

  test('a line that is missing, changed or there twice is noticed', () => {
    const lines = formatTraceFile(sample).trimEnd().split('\n');
    lines.forEach((line, i) => {
      const others = [
        lines.toSpliced(i, 1),
        lines.toSpliced(i, 0, line),
        lines.with(i, `${line.slice(0, -1)}%`),
      ];
      for (const other of others) {
        expect(() => parseTraceFile(other.join('\n'))).toThrow(SeedError);
      }
    });
  });

  test('any part of a file is noticed', () => {
    const text = formatTraceFile({ ...sample, schedule: [0, 1, 0, 1] }).trimEnd();
    for (let i = 0; i < text.length; i++) {
      expect(() => parseTraceFile(text.slice(0, i))).toThrow(SeedError);
    }
  });
});

describe('a seed on the command line', () => {
  test('is printed if it is short, and goes to a file if it is long', () => {
    const short = formatSeed({ ...sample, schedule: [0] });
    expect(pasteable(short)).toBe(short);
    const long = formatSeed(sample);
    expect(long.length).toBeGreaterThan(SEED_CHARACTERS);
    const file = pasteable(long);
    expect(file).toMatch(/^gntrace-[0-9a-f]{8}\.trace$/);
    expect(readSeed(file)).toEqual(sample);
  });

  test('goes where --save says, long or short', () => {
    const file = join(room, 'mine');
    expect(pasteable(formatSeed(sample), file)).toBe(file);
    expect(parseTraceFile(readFileSync(file, 'utf8'))).toEqual(sample);
    const nowhere = join(room, 'no', 'such', 'room');
    expect(() => pasteable(formatSeed(sample), nowhere)).toThrow(UsageError);
  });

  test('is replayed alike from a file', () => {
    const seed = { ...sample, memory: 'sc' as const, schedule: [1, 1, 0], without: [] };
    const file = pasteable(formatSeed(seed), join(room, 'short'));
    const [a, b] = [seededProgram(formatSeed(seed)), seededProgram(file)].map((seeded) =>
      replay(seeded.options, seeded.seed).trace.digest(),
    );
    expect(a).toBe(b);
  });

  test.each([
    ['a foreign file', 'hello\n', /some\.trace: it is no gntrace trace: its first line/],
    ['an empty file', '', /it is no gntrace trace/],
    ['a newer file', 'gntrace-trace 9\nx\nend\n', /version 9; this gntrace reads up to 1/],
    ['a file cut off', formatTraceFile(sample).slice(0, 400), /it is cut off: the last line/],
    ['a damaged file', formatTraceFile(sample).replace('a', 'b'), /it is no gntrace|checksum/],
    ['a file with more', `${formatTraceFile(sample)}more\n`, /something stands after the line/],
  ])('%s is wrong use, said in one line', (_, content, message) => {
    const file = fileOf(content);
    expect(() => readSeed(file)).toThrow(UsageError);
    expect(() => readSeed(file)).toThrow(message);
    expect(() => readSeed(file)).toThrow(/^[^\n]+$/);
  });

  test('names neither a seed nor a file', () => {
    expect(() => readSeed(join(room, 'nothing'))).toThrow('no gntrace seed');
    expect(() => readSeed(room)).toThrow(`cannot read ${room}`);
  });
});
