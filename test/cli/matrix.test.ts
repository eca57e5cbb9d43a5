/**
 * Goal: `gntrace matrix` and `show` answer in the words and exit statuses that they promise, and a
 * second run takes from the store what the first one decided. Method: the commands run in this
 * process over threads of the built edition, with a folder of their own as store.
 */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test, vi } from 'vitest';
import { matrixCommand } from '../../src/cli/matrix.ts';
import { showCommand } from '../../src/cli/show.ts';
import { UsageError } from '../../src/cli/usage.ts';

async function run(
  commandOf: (exit: (status: number) => void) => Command,
  ...args: readonly string[]
): Promise<{ readonly status: number; readonly out: string }> {
  let status = -1;
  let out = '';
  const command = commandOf((next) => {
    status = next;
  }).exitOverride();
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await command.parseAsync([...args], { from: 'user' });
  } finally {
    write.mockRestore();
  }
  return { status, out };
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'gntrace-'));

interface Cell {
  readonly design: string;
  readonly verdict: string;
  readonly seed?: string;
  readonly invariant?: string;
}

test('decides a race of the past, keeps it, and takes it from the store', async () => {
  const store = folder();
  const html = join(store, 'pages', 'm.html');
  const asked = ['--only', 'X1', '--memory', 'sc', '--store', store, '--budget', '5'];
  const first = await run(matrixCommand, ...asked, '--json', '--workers', '1');
  const { cells } = JSON.parse(first.out) as { cells: Cell[] };
  const before = cells.find(({ design }) => design === 'before');
  expect(before).toMatchObject({ verdict: 'broken', invariant: 'I7' });
  expect(first.status).toBe(1);

  const second = await run(matrixCommand, ...asked, '--budget', '0.001', '--html', html);
  expect(second.out).toContain('BROKEN I7');
  expect(second.out).toContain(`gntrace replay ${before?.seed}`);
  const table = second.out.split('\n\n', 1)[0] ?? '';
  expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(existsSync(html)).toBe(true);
  const page = readFileSync(html, 'utf8');
  expect(page).toContain('sc broken I7');
  const race = `m-races/${before?.seed?.slice(-8)}.html`;
  expect(page).toContain(`href="./${race}"`);
  expect(readFileSync(join(store, 'pages', race), 'utf8')).toContain(before?.seed);
});

test('says in one line which race or model there is not', async () => {
  const ask = (...args: readonly string[]) => run(matrixCommand, '--store', folder(), ...args);
  await expect(ask('--only', 'X1,x1-unmap-acounting')).rejects.toThrow(
    'no race called "x1-unmap-acounting": did you mean x1-unmap-accounting?',
  );
  await expect(ask('--memory', 'arm')).rejects.toThrow(UsageError);
  await expect(ask('--budget', '0')).rejects.toThrow(UsageError);
  await expect(ask('--workers', '65')).rejects.toThrow('--workers can be at most 64, not 65');
});

test('show tells who, where, what breaks, the fix and how to see it', async () => {
  const { status, out } = await run(showCommand, 'x1');
  expect(status).toBe(0);
  for (const part of [
    'X1: ',
    'unmap (vCPU 0)',
    '1. ',
    'breaks',
    'fix',
    'XSA-218',
    'explore race/',
  ]) {
    expect(out).toContain(part);
  }
  const { out: json } = await run(showCommand, 'unmap-in-use', '--json');
  expect(JSON.parse(json)).toMatchObject({ race: 'unmap-in-use', fixedIn: null });
  await expect(run(showCommand, 'X99')).rejects.toThrow('no race called "X99"');
});
