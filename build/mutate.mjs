/**
 * Leaves out one lock, barrier, flush or reference count at a time and sees the suite go red.
 *
 *   npm run test:mutations [-- TEXT]     only mutations whose file or reason contains TEXT
 *
 * build/mutations lists them. Each runs in a copy of the tree. A mutation that no longer applies,
 * that no test notices, or whose tests are red without it makes the command fail. What tests start
 * on threads is what was built, which no mutation reaches.
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
for (const part of ['node_modules', 'dist']) symlinkSync(join(root, part), join(copy, part));

/** @returns are these tests green in the copy? */
function passes(tests) {
  const run = spawnSync(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--bail', '1', ...tests],
    { cwd: copy, encoding: 'utf8', timeout: 300_000 },
  );
  return run.status === 0;
}

/** Tests that were run without any mutation, and whether they passed. */
const untouched = new Map();
function passWithout(tests) {
  const key = tests.join(' ');
  if (!untouched.has(key)) untouched.set(key, passes(tests));
  return untouched.get(key);
}

let unnoticed = 0;
for (const { file, find, replace, tests, why } of chosen) {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  const places = text.split(find).length - 1;
  let verdict;
  if (places !== 1) {
    verdict = `DOES NOT APPLY (${places} places)`;
  } else if (!passWithout(tests)) {
    verdict = 'RED WITHOUT IT';
  } else {
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
    verdict = passes(tests) ? 'NOT NOTICED' : 'noticed';
    writeFileSync(path, text);
  }
  if (verdict !== 'noticed') unnoticed += 1;
  console.log(`${verdict.padEnd(12)} ${file}: ${why}`);
}
rmSync(copy, { recursive: true });
console.log(`${chosen.length - unnoticed} noticed, ${unnoticed} not`);
process.exit(unnoticed === 0 ? 0 : 1);
