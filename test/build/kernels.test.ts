/**
 * Goal: simulated code becomes AssemblyScript as it stands, and a machine's numbers constants.
 * Method: small sources whose translation is written out, what is refused, and a module made by
 * hand whose globals are replaced.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { placeConstants } from '../../build/kernels/places.mjs';
import { Sources } from '../../build/kernels/source.mjs';
import { translate } from '../../build/kernels/translate.mjs';

const root = mkdtempSync(join(tmpdir(), 'gntrace-kernels-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const head = `import { defineTable } from './shared/table.ts';
import { cmpxchg, read, readLocal, readOnce, smpRmb } from './shared/operations.ts';
`;

/** The translation of `f` in a source, without its comments and decorators. */
function translated(text: string, making = {}): string {
  write('src/a.ts', head + text);
  const made = translate(new Sources(root), [{ path: 'src/a.ts', name: 'f' }], {
    prefix: '',
    fixed: {},
    flavour: '',
    plain: [],
    inline: () => false,
    ...making,
  });
  return made.text.replace(/^(?:\/\/.*|@inline)\n/gm, '').trim();
}

const table = `const T =
  defineTable('t[%]', ['ts'], { a: '[X] a', b: '[X] b' }, { lineAligned: true });
const P = defineTable('p', [], { levels: '[BOOT] levels', other: '[X] changes' });
`;

describe('translation to AssemblyScript', () => {
  test('drops generators and gives numbers their type', () => {
    expect(
      translated(
        'export function* f(a: number, b: boolean): Op<void> { g(); }\nfunction g(): void {}',
      ),
    ).toBe('function f(a: i32, b: bool): void { g(); }\nfunction g(): void {}');
  });

  test('turns fields into addresses, boot parameters into numbers of the machine', () => {
    const f =
      'export function* f(i: number): Op {\n' +
      '  return (yield* readOnce(T.b.at(i))) + readLocal(P.levels.word) +\n' +
      '    readLocal(P.other.word);\n}';
    expect(translated(table + f)).toBe(
      'function f(i: i32): i32 {\n' +
        '  return (readOnce$b((T$wordBytes + 4) + (i) * 64)) + P$levels +\n' +
        '    readLocal((P$word + 1));\n}',
    );
    expect(translated(table + f, { fixed: { levels: 4 } })).toContain(' + 4 +\n');
  });

  test('writes short loops out and makes the top bits a shift', () => {
    const f =
      'export function f(x: number): number {\n  let y = 0;\n' +
      '  for (let i = 2; i > 0; i--) y = y + i;\n' +
      '  return y + ((x >> 9) & ((1 << 23) - 1)) + ((x >> 9) & 3);\n}';
    expect(translated(f)).toContain(
      '{ const i: i32 = 2; y = y + i; }\n{ const i: i32 = 1; y = y + i; }',
    );
    expect(translated(f)).toContain('((x >>> 9)) + ((x >> 9) & 3)');
  });

  test('reads plainly, or in order, where a kernel is made so', () => {
    const f =
      'export function* f(w: number): Op { yield* smpRmb(); return yield* g(w); }\n' +
      'function* g(w: number): Op { return (yield* read(w)) + (yield* readOnce(w)); }';
    expect(translated(f, { plain: ['g'] })).toContain(
      'function plain$g(w: i32): i32 { return (read(w)) + (read(w)); }',
    );
    expect(translated(f, { flavour: 'ordered$' })).toBe(
      'function ordered$f(w: i32): i32 { ordered(); return ordered$g(w); }\n' +
        'function ordered$g(w: i32): i32 { return (readOnce(w)) + (readOnce(w)); }',
    );
  });

  test('branches on each part of a condition, in order, also of one that is called', () => {
    const f =
      'export function f(x: number, y: number): number {\n' +
      '  if (x < 0 || y < 0) return 1;\n  if (!g(x, 7)) return 2;\n' +
      '  if (x < y && !(y > 5 || x > 5)) { x = y; }\n  if (x < y || y < 9) y = x;\n' +
      '  while (y > 7) if (x < 3 || y < 3) break;\n' +
      '  return (x < 1 && y < 1) ? 3 : 4;\n}\n' +
      'function g(a: number, x: number): boolean { return a > 0 && (x < 9 && a !== x); }';
    expect(translated(f)).toContain('  if (!g(x, 7)) return 2;');
    expect(translated(f, { inline: () => true })).toBe(
      'function f(x: i32, y: i32): i32 {\n' +
        '  if (x < 0) return 1; if (y < 0) return 1;\n' +
        '  if (!(x > 0)) return 2; if (!(7 < 9)) return 2; if (!(x !== 7)) return 2;\n' +
        '  if (x < y) if (!(y > 5)) if (!(x > 5)) { x = y; }\n' +
        '  if (x < y || y < 9) y = x;\n' +
        '  while (y > 7) { if (x < 3) break; if (y < 3) break; }\n' +
        '  if (!(x < 1)) return 4; if (!(y < 1)) return 4; return 3;\n}',
    );
    expect(translated('export function f(x: number): number { return x > 1 ? 2 : 3; }')).toContain(
      '{ return x > 1 ? 2 : 3; }',
    );
  });

  test('keeps a word that goes to operations only as its address', () => {
    const f = (use: string) =>
      'export function* f(i: number): Op {\n  const word = T.b.at(i);\n' +
      `  const other = T.a.at(i);\n  g(other);\n  ${use}\n}\n` +
      'function* g(word: number): Op { return (yield* readOnce(word)) > 0 && word > 1; }';
    expect(
      translated(table + f('return yield* cmpxchg(word, yield* readOnce(word), 1);')),
    ).toContain(
      '  const word = (T$wordBytes + 4) + (i) * 64;\n  const other = (T$word + 0 + (i) * 16);\n' +
        '  g(other);\n  return cmpxchg$b(word, readOnce$b(word), 1);',
    );
    expect(translated(table + f('return (yield* readOnce(word)) + word;'))).toContain(
      'return (readOnce(word)) + word;',
    );
    const called = f('if (!(yield* g(i))) return 1; return yield* readOnce(word);');
    expect(translated(table + called, { inline: () => true })).toContain(
      'if (!((readOnce(i)) > 0)) return 1; if (!(i > 1)) return 1; return readOnce$b(word);',
    );
  });

  test('refuses what it does not know, with its place', () => {
    expect(() => translated('export function f(a: string): number { return 1; }')).toThrow(
      'src/a.ts:3: string has a type that is not compiled',
    );
    expect(() => translated('export function f(): number { return a.b; }')).toThrow(
      'a.b is a property that is not compiled',
    );
  });
});

test('numbers of a machine take the place of their globals', async () => {
  // (global (export "n") (mut i32) 7)
  // (func (export "f") (result i32) global.get 0 global.get 0 i32.add)
  const sections = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    [1, 5, 1, 0x60, 0, 1, 0x7f],
    [3, 2, 1, 0],
    [6, 6, 1, 0x7f, 1, 0x41, 7, 0x0b],
    [7, 9, 2, 1, 0x6e, 3, 0, 1, 0x66, 0, 0],
    [10, 9, 1, 7, 0, 0x23, 0, 0x23, 0, 0x6a, 0x0b],
  ];
  const module = Uint8Array.from(sections.flat());
  const { bytes, places } = placeConstants(module, (name) => name === 'n');
  expect(places['n']).toHaveLength(2);
  const numbers = [
    [0xe4, 0x80, 0x80, 0x80, 0],
    [0x81, 0x80, 0x80, 0x80, 0],
  ];
  places['n']?.forEach((at, i) => {
    bytes.set(numbers[i] as number[], at);
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  expect((exports['f'] as () => number)()).toBe(101);
});
