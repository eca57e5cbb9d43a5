/**
 * Goal: every mutation that is listed still applies, so that `npm run test:mutations` asks what it
 * says. Method: its text is looked for in its file, and its tests on the disk.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutations } from '../../build/mutations.mjs';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

test('each text is found in its file exactly once', () => {
  const lost = mutations.filter(({ file, find }) => read(file).split(find).length !== 2);
  expect(lost.map(({ file, why }) => `${file}: ${why}`)).toEqual([]);
});

test('the tests that must notice are there', () => {
  const tests = mutations.flatMap((mutation) => mutation.tests);
  expect(tests.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});
