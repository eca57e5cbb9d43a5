/**
 * Goal: a function that a race of the past names can be replaced by what it was, from everywhere
 * that calls it, and is today's again afterwards; others stay as they are written. Method: the
 * transformation on small modules, and a real race's functions through its own module.
 */
import { expect, test } from 'vitest';
import { findReplaced, makeReplaceable } from '../../build/replaceable.mjs';
import { install, replaces } from '../../src/shared/override.ts';

const root = new URL('../..', import.meta.url).pathname;

test('finds the functions that the corpus replaces, by file', () => {
  expect(findReplaced(root).get('src/xen/grant-table/unmap')).toContain('unmapCommonComplete');
});

test('keeps lines, and columns behind the name', () => {
  const text = 'const a = 1;\nexport function* pin(v: number): Op {\n  return a + v;\n}\n';
  const lines = makeReplaceable('src/xen/a', text, ['pin'], '.ts').split('\n');
  expect(lines[1]).toBe(' function* pin$today(v: number): Op {');
  expect(lines[1]?.indexOf('(')).toBe(text.split('\n')[1]?.indexOf('('));
  expect(lines).toContain('export let pin = pin$today;');
});

test('refuses a name that is no exported function of the file', () => {
  expect(() => makeReplaceable('src/xen/a', 'const a = 1;\n', ['pin'], '.ts')).toThrow(
    'src/xen/a: no exported function pin',
  );
});

test('a function that was not built for it cannot be replaced', () => {
  const one = (): number => 1;
  const two = (): number => 2;
  expect(() => install([replaces(one, two)])).toThrow('one was not built to be replaced');
});
