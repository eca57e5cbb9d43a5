/**
 * Goal: an import against the arrows between rooms fails the lint, and the lint sees the code.
 * Method: dependency-cruiser with the house's rules over a small tree with one wrong import, and
 * over the repository, counting what it cruised (with a wrong TypeScript it sees no module at all
 * and is content).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const config = join(root, 'build/arrows.cjs');
const tree = mkdtempSync(join(tmpdir(), 'arrows-'));
afterAll(() => rmSync(tree, { recursive: true }));

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { rule: { name: string }; from: string; to: string }[];
  };
}

function cruise(cwd: string, roots: readonly string[]): Cruise['summary'] {
  const options = ['--config', config, '--output-type', 'json'];
  const out = execFileSync(process.execPath, [bin, ...roots, ...options], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return (JSON.parse(out) as Cruise).summary;
}

/** Imports along the arrows, then wrong ones, and the rule that each of these breaks. */
const right = [
  ['xen', 'shared'],
  ['explore', 'shared'],
  ['cli', 'explore'],
  ['cli', 'xen'],
  ['campaign', 'report'],
];
const wrong = [
  ['shared', 'xen'],
  ['xen', 'linux'],
  ['explore', 'xen'],
  ['xen', 'oracle'],
  ['threads', 'explore'],
  ['report', 'campaign'],
];
const rooms = [...new Set([...right, ...wrong].flat())];

function put(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

/** One tree with all of them: a file `leaf.ts` a room, and a file for each import. */
function plant(): void {
  for (const room of rooms) put(`src/${room}/leaf.ts`, 'export type Leaf = number;\n');
  for (const [from, to] of [...right, ...wrong]) {
    const text = `import type { Leaf } from '../${to}/leaf.ts';\nexport type Mine = Leaf;\n`;
    put(`src/${from}/from-${to}.ts`, text);
  }
  put('workers/a.ts', "export type { Leaf } from '../src/xen/leaf.ts';\n");
  put('workers/b.ts', "export type { Leaf } from '../src/cli/leaf.ts';\n");
  put('src/xen/gone.ts', "import './nowhere.ts';\n");
  put('src/shared/ring-a.ts', "import { b } from './ring-b.ts';\nexport const a = b;\n");
  put('src/shared/ring-b.ts', "import { a } from './ring-a.ts';\nexport const b = a;\n");
}

describe('arrows', () => {
  test('imports against the arrows fail, types too; those along them pass', () => {
    plant();
    const { violations } = cruise(tree, ['src', 'workers']);
    const found = violations.map(({ rule, from, to }) => `${rule.name}: ${from} ${to}`);
    expect(found.sort()).toEqual(
      [
        ...wrong.map(
          ([from, to]) => `arrows-of-${from}: src/${from}/from-${to}.ts src/${to}/leaf.ts`,
        ),
        'arrows-of-workers: workers/b.ts src/cli/leaf.ts',
        'everything-resolves: src/xen/gone.ts ./nowhere.ts',
        'no-cycles: src/shared/ring-a.ts src/shared/ring-b.ts',
      ].sort(),
    );
  });

  test('every room has its arrows', () => {
    const { forbidden } = createRequire(import.meta.url)(config) as {
      forbidden: readonly { name: string }[];
    };
    const named = new Set(forbidden.map((rule) => rule.name));
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true });
    for (const room of folders.filter((entry) => entry.isDirectory())) {
      expect(named).toContain(`arrows-of-${room.name}`);
    }
  });

  test('the repository keeps to its arrows, and all of it was looked at', () => {
    const roots = ['src', 'workers', 'bench', 'test'].filter((dir) => existsSync(join(root, dir)));
    const { totalCruised, violations } = cruise(root, roots);
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} ${to}`)).toEqual([]);
    expect(totalCruised).toBeGreaterThan(50);
  });
});
