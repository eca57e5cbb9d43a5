/**
 * Goal: making a script flat changes how it is written and nothing that it does.
 * Method: small functions whose flat form is written out, those that must stay calls, and random
 * programs that are run before and after with every effect recorded.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flatten } from '../../build/kernels/flatten.mjs';

/** Flat and without spaces and parentheses that only group. */
function flat(text: string): string {
  return flatten(text).replace(/\s+/g, ' ').trim();
}

describe('a call', () => {
  test('of one expression becomes the expression', () => {
    expect(flat('function f(x) { return x + 1; }\nreturn (y) => f(y) * 2;')).toBe(
      'return (y) => (y + 1) * 2;',
    );
  });

  test('of early returns becomes a conditional', () => {
    expect(flat('function f(x) { if (x < 0) return -1; return x; }\nreturn (y) => f(y);')).toBe(
      'return (y) => ((y < 0) ? (-1) : (y));',
    );
  });

  test('is flat as deep as it goes, and functions without calls are left out', () => {
    const text =
      'function a(x) { return x + 1; }\nfunction b(x) { return a(x) + a(2); }\n' +
      'function unused() { return 1; }\nreturn (y) => b(y);';
    expect(flat(text)).toBe('return (y) => ((y + 1) + (2 + 1));');
  });

  test.each([
    ['an argument would be evaluated twice', 'function f(x) { return x + x; }', 'f(g())'],
    ['an argument would not be evaluated', 'function f(x) { return y ? x : 0; }', 'f(g())'],
    ['an argument would get lost', 'function f(x) { return 1; }', 'f(g())'],
    ['arguments would change places', 'function f(a, b) { return b - a; }', 'f(g(), g())'],
    ['there are statements', 'function f(x) { const z = x; return z; }', 'f(y)'],
  ])('stays one where %s', (_, declared, call) => {
    expect(flat(`${declared}\nreturn (g, y) => ${call};`)).toContain(`=> ${call};`);
  });
});

describe('a parameter', () => {
  test('that is always the same number becomes that number', () => {
    const text =
      'function f(a, b) { const c = a; return c * b; }\nreturn (y) => f(7, y) + f(7, 1);';
    expect(flat(text)).toContain('const c = (7); return c * b;');
  });

  test.each([
    ['is given two numbers', 'function f(a) { const c = a; return c; }\nreturn f(1) + f(2);'],
    ['is changed', 'function f(a) { a = a + 1; return a; }\nreturn f(1);'],
  ])('stays where it %s', (_, text) => {
    expect(flat(text)).toMatch(/= a( \+ 1)?;/);
  });
});

test('what a program does stays the same', () => {
  const leaf = fc.constantFrom('p', 'q', '3', 'tick()', 'mem[p & 7]');
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc
        .tuple(fc.constantFrom('+', '-', '*', '|', '<', '&&'), tie('expression'), tie('expression'))
        .map(([op, a, b]) => `(${a} ${op} ${b})`),
      fc
        .tuple(fc.constantFrom('f', 'h'), tie('expression'), tie('expression'))
        .map(([name, a, b]) => `${name}(${a}, ${b})`),
    ),
  }));
  // `f` calls nobody and `h` calls `f`, so that every program ends.
  const body = expression.filter((text) => !/[fh]\(/.test(text));
  const callsF = expression.filter((text) => !text.includes('h('));
  fc.assert(
    fc.property(body, body, callsF, expression, (condition, f, h, main) => {
      const text =
        'let ticks = 0;\n' +
        'function tick() { ticks = ticks + 1; mem[ticks & 7] = ticks; return ticks; }\n' +
        `function f(p, q) { if (${condition}) return q; return ${f}; }\n` +
        `function h(p, q) { return ${h}; }\n` +
        `function run(p, q) { const value = ${main}; return value; }\n` +
        'return [run(1, 2), run(5, -4), ticks, mem.join()];';
      const run = (source: string): unknown => {
        // oxlint-disable-next-line typescript/no-implied-eval
        return (new Function('mem', source) as (mem: Int32Array) => unknown)(new Int32Array(8));
      };
      expect(run(flatten(text))).toEqual(run(text));
    }),
    { numRuns: 500 },
  );
});
