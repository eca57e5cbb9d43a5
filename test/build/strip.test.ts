/**
 * Goal: the threads edition is the source minus its generators, at the same lines and columns.
 * Method: small sources whose stripped form is written out, the errors, and the operations of all
 * editions held against each other.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { strip } from '../../build/strip.mjs';

const source = `/** A note on yield* and function*. */
export function* lock(word: number): Op<void> {
  const before = yield* fetchAdd(word, 1);
  while ((yield* read(word)) !== before) {
    yield*
      relax();
  }
}
export function plain(a: number): number {
  return a * 2;
}
`;

function operationsOf(path: string): string[] {
  const others = ['installEngine', 'finish', 'becomeActor'];
  return [...readFileSync(path, 'utf8').matchAll(/^export function\*? (\w+)/gm)]
    .map((match) => match[1] as string)
    .filter((name) => !others.includes(name))
    .sort();
}

describe('strip', () => {
  test('takes the star and the yields, and nothing else', () => {
    expect(strip('a.ts', source)).toBe(
      source
        .replace('export function* lock', 'export function  lock')
        .replace('= yield* fetchAdd', '=        fetchAdd')
        .replace('(yield* read', '(       read')
        .replace('    yield*\n', '          \n'),
    );
  });

  test('keeps every line and column', () => {
    const lines = strip('a.ts', source).split('\n');
    expect(lines.map((line) => line.length)).toEqual(source.split('\n').map((line) => line.length));
  });

  test.each([
    ['function* f() {\n  yield;\n}', 'a.ts:2: a bare yield'],
    ['const f = function* () {};', 'a.ts:1: a generator that is no declared function'],
    ['const o = {\n *f() {} };', 'a.ts:2: a generator that is no declared function'],
  ])('refuses what has no meaning on a thread: %s', (text, message) => {
    expect(() => strip('a.ts', text)).toThrow(message);
  });

  test('fibers and threads offer the same operations', () => {
    const fibers = operationsOf('src/shared/operations.ts');
    expect(fibers.length).toBeGreaterThan(20);
    expect(operationsOf('src/shared/operations.threads.ts')).toEqual(fibers);
  });
});
