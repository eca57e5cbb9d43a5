/**
 * Goal: inlined operations do what the operations do, in the same order, and source maps follow.
 * Method: inline small modules against a table of operations and look at text and columns.
 */
import { describe, expect, test } from 'vitest';
import { inline, readOperations, shiftMap } from '../../build/inline.mjs';
import { decode, encode } from '../../build/mappings.mjs';

const operations = readOperations(
  `export function* load(word) {
  if (engine.begin(LOAD, word, 0, 0, 0)) yield;
  return engine.perform();
}
export function* through(guard, expected, word) {
  if (engine.begin(THROUGH, word, 0, guard, expected)) yield;
  return engine.perform();
}
export function plain(word) { return word; }`,
  { LOAD: 3, THROUGH: 18 },
);
const header = `import { load as get, through, plain } from './operations.js';\n`;
const body = (text: string): string => {
  const result = inline(`${header}function* f(a) {\n${text}\n}`, operations);
  return result === null ? 'unchanged' : result.text.split('\n').slice(2, -1).join('\n');
};

describe('inline', () => {
  test('an operation becomes two engine calls', () => {
    expect(body('return yield* get(a + 1);')).toBe(
      'return ($engine.begin(3, a + 1, 0, 0, 0) && (yield), $engine.perform());',
    );
  });
  test('operations within operands are inlined too', () => {
    expect(body('yield* get(yield* get(a));')).toBe(
      '($engine.begin(3, ($engine.begin(3, a, 0, 0, 0) && (yield), $engine.perform()), 0, 0, 0)' +
        ' && (yield), $engine.perform());',
    );
  });
  test('operands that would change their order are moved only if they are no operations', () => {
    expect(body('yield* through(g, e, a);')).toContain('$engine.begin(18, a, 0, g, e)');
    expect(body('yield* through(yield* other(), e, a);')).toBe('unchanged');
  });
  test('other calls and other modules stay as they are', () => {
    expect(body('yield* other(a); plain(a);')).toBe('unchanged');
    expect(inline('export const one = 1;', operations)).toBeNull();
  });
  test('lines keep their numbers', () => {
    const source = 'function* f(a) {\n  return (yield* get(\n    a,\n  )) + 1;\n}';
    const text = `${header}${source}\nconst after = 1;`;
    const lines = inline(text, operations)?.text.split('\n') ?? [];
    expect(lines.indexOf('const after = 1;')).toBe(text.split('\n').indexOf('const after = 1;'));
  });
});

describe('source maps', () => {
  test('decode and encode are inverse', () => {
    const mappings = 'AAAA,GAAG,CAAC;;AACA,UAAiBA,SAAS,EAAE';
    expect(encode(decode(mappings))).toBe(mappings);
  });
  test('what stands behind an inlined operation maps to the same place as before', () => {
    const line = 'const sum = (yield* get(a)) + mark;';
    const text = `${header}function* f(a) {\n${line}\n}`;
    const mappings = encode([[], [], [[line.indexOf('mark'), 0, 7, 40]], []]);
    const result = inline(text, operations);
    if (result === null) throw new Error('nothing was inlined');
    const moved = decode(shiftMap({ mappings }, result.edits).mappings)[2][0];
    expect(result.text.split('\n')[2].slice(moved[0])).toBe('mark;');
    expect(moved.slice(1)).toEqual([0, 7, 40]);
  });
});
