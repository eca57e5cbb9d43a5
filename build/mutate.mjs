/**
 * Leaves out one lock, barrier, flush or reference count at a time and sees the suite go red.
 *
 *   npm run test:mutations [-- TEXT]     only mutations whose file or reason contains TEXT
 *
 * build/mutations lists them. Each runs in a copy of the tree. A mutation that no longer applies or
 * that no test notices makes the command fail.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutations } from './mutations.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const filter = process.argv[2] ?? '';
const chosen = mutations.filter(({ file, why }) => `${file} ${why}`.includes(filter));

const copy = mkdtempSync(join(tmpdir(), 'gntrace-mutate-'));
const parts = ['src', 'test', 'build', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

let unnoticed = 0;
for (const { file, find, replace, tests, why } of chosen) {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  const places = text.split(find).length - 1;
  let verdict;
  if (places === 1) {
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
    const run = spawnSync(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--bail', '1', ...tests],
      { cwd: copy, encoding: 'utf8', timeout: 300_000 },
    );
    writeFileSync(path, text);
    verdict = run.status === 0 ? 'NOT NOTICED' : 'noticed';
  } else {
    verdict = `DOES NOT APPLY (${places} places)`;
  }
  if (verdict !== 'noticed') unnoticed += 1;
  console.log(`${verdict.padEnd(12)} ${file}: ${why}`);
}
rmSync(copy, { recursive: true });
console.log(`${chosen.length - unnoticed} noticed, ${unnoticed} not`);
process.exit(unnoticed === 0 ? 0 : 1);
