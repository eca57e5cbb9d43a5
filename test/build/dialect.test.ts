/**
 * Goal: code that cannot be stripped, compiled or replayed never enters a simulated room.
 * Method: one small wrong file for each rule, with the line and the words of its message; then
 * the repository itself, which must be clean.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { checkDialect, simulatedSources } from '../../build/dialect.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const operations = {
  path: 'src/shared/operations.ts',
  text: 'export function* read(word: number): Op {\n  yield;\n}\nexport function runAlone() {}\n',
};

function faultsOf(text: string, path = 'src/xen/a.ts'): string[] {
  const imports = "import { read, runAlone } from '../shared/operations.ts';";
  return checkDialect([operations, { path, text: `${imports}\n${text}` }]);
}

const inBody = (line: string): string => `export function* f(v: number): Op {\n${line}\n}`;

describe('dialect', () => {
  test('accepts integers, tables, control flow and calls under yield*', () => {
    const text = `
export function* f(v: number): Op {
  let sum = 0;
  for (let i = 0; i < Table.word.count; i++) sum += yield* read(Table.word.at(i));
  while (sum > 9) sum = half(sum);
  switch (sum) {
    case 1:
      return yield* f(v - 1);
    default:
      return Math.max(sum, -1);
  }
}
function half(sum: number): number {
  return (sum / 2) | 0;
}
export const actor = { body: () => f(1), alone: runAlone(f(2)) };
`;
    expect(faultsOf(text)).toEqual([]);
  });

  test.each([
    ['const g = () => 1;', 'an arrow function'],
    ['function g() {}', 'a nested function'],
    ['const o = { v };', 'an object literal'],
    ['const o = [v];', 'an array literal'],
    ['v = table[v];', 'an element access'],
    ['try { v = 1; } finally { v = 2; }', 'try'],
    ['throw v;', 'throw'],
    ['class A {}', 'a class'],
    ['const m = new Map();', 'new'],
    ['const s = `v`;', 'a template string'],
    ["const s = 'v';", 'a string'],
    ['yield;', 'a bare yield'],
    ['yield* v;', 'yield* of no call'],
    ['const g = read(v);', 'read called without yield*'],
    ['read(v);', 'read called without yield*'],
    ['const g = read;', 'read as a value'],
    ['v = v / 2;', 'a division without | 0'],
    ['v = v * 0.5;', 'a fraction'],
    ['v = Math.floor(v);', 'Math.floor'],
    ['v = v.toFixed();', 'a method call: toFixed'],
    ['v = v ?? 1;', '??'],
    ['var w = v;', 'var'],
  ])('refuses in a simulated body: %s', (line, what) => {
    const faults = faultsOf(inBody(line));
    expect(faults.join('\n')).toContain(what);
    expect(faults[0]).toMatch(/^src\/xen\/a\.ts:3: /);
  });

  test.each([
    ['const t = Date.now();', 'uses Date'],
    ['const t = Math.random();', 'uses Math.random'],
    ['const t = performance.now();', 'uses performance'],
    ["console.log('x');", 'uses console'],
    ['setTimeout(f, 1);', 'uses setTimeout'],
    ['const t = process.pid;', 'uses process'],
    ['Atomics.load(words, 1);', 'uses Atomics'],
    ["import fs from 'node:fs';", 'imports node:fs'],
    ["import { thing } from 'package';", 'imports package'],
    ["const t = import('./b.ts');", 'imports dynamically'],
    ['let state = 0;', 'keeps state in a module'],
  ])('refuses anywhere in a simulated room: %s', (line, what) => {
    expect(faultsOf(line).join('\n')).toContain(what);
  });

  test.each([
    ['both loads plain', 'const seq = yield* read(v); if ((yield* read(v)) !== seq) return 1;'],
    [
      'the second load plain',
      'const s = yield* readOnce(v); if (s === (yield* read(v))) return 1;',
    ],
    [
      'by two variables',
      'const a = yield* read(v); const b = yield* read(v); return a === b ? 1 : 0;',
    ],
    ['of a local word', 'const a = readLocal(v); if (readLocal(v) !== a) return 1;'],
    ['after an assignment', 'let a = 0; a = yield* read(v); if ((yield* read(v)) === a) return 1;'],
  ])('refuses a plain re-check: %s', (_, line) => {
    const faults = faultsOf(inBody(line));
    expect(faults.join()).toContain('a plain re-check of a word');
  });

  test('refuses a plain re-check of a word that the caller read before', () => {
    const text =
      'export function* retry(word: number, seq: number): Op ' +
      '{ return (yield* read(word)) === seq ? 0 : 1; }';
    expect(faultsOf(text).join()).toContain('a plain re-check of a word');
  });

  test.each([
    'const seq = yield* read(v); if ((yield* readOnce(v)) !== seq) return 1;',
    'const a = yield* read(v); if ((yield* read(v + 1)) === a) return 1;',
    'const a = yield* read(v); if (a === 1) return 1;',
    'const a = yield* read(v); yield* spinLock(v); if ((yield* read(v)) === a) return 1;',
  ])('allows what is no plain re-check: %s', (line) => {
    expect(faultsOf(inBody(line)).join()).not.toContain('re-check');
  });

  test('a plain function that simulated code calls follows the same rules', () => {
    const text = `${inBody('return g(v);')}\nfunction g(v: number): number { return [v].length; }`;
    expect(faultsOf(text)).toEqual(['src/xen/a.ts:5: an array literal in simulated g']);
  });

  test('a plain function that only sets up a machine may use all of TypeScript', () => {
    expect(faultsOf('export function sizes(n: number) { return { n, all: [n] }; }')).toEqual([]);
  });

  test('a generator function that a plain function calls is never silently dropped', () => {
    const text = 'export function g(v: number): number { read(v); return 0; }';
    expect(faultsOf(text).join()).toContain('read called without yield*');
  });

  test('parameters and results are integers', () => {
    expect(faultsOf('export function* f(name: string): Op {}').join()).toContain('type string');
    expect(faultsOf('export function* f(v = 1): Op {}').join()).toContain('type unknown');
    expect(faultsOf('export function* f(v: number): Op<string> {}').join()).toContain('Op<string>');
  });

  test('an imported generator is known under its local name', () => {
    const text = "import { read as load } from '../shared/operations.ts';\n" + inBody('load(v);');
    expect(faultsOf(text).join()).toContain('load called without yield*');
  });

  test('the repository is clean', () => {
    const sources = simulatedSources(root);
    expect(sources.length).toBeGreaterThan(20);
    expect(checkDialect(sources)).toEqual([]);
  });
});
