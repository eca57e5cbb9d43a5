/**
 * Goal: `gntrace conform` says by its exit status what scripts ask, and in one line what is wrong
 * with a file or a name. Method: the command runs in this process, on files of a directory of its
 * own and on recordings of the real thing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { conformCommand } from '../../src/cli/conform.ts';
import { UsageError } from '../../src/cli/usage.ts';
import type { Result } from '../../src/conform/play.ts';

const GOLDEN = 'test/golden/xen-4.17-linux-6.1.json';
const dir = mkdtempSync(join(tmpdir(), 'gntrace-conform-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** @returns exit status and what was printed. */
async function run(...args: readonly string[]): Promise<{ status: number; out: string }> {
  let status = -1;
  let out = '';
  const command = conformCommand((next) => {
    status = next;
  }).exitOverride();
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await command.parseAsync([...args], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return { status, out };
}

/** The one line that a wrong use gets; main.ts ends with 2 for it. */
async function refusal(...args: readonly string[]): Promise<string> {
  const error = await run(...args).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  const { message } = error as UsageError;
  expect(message).not.toContain('\n');
  return message;
}

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

/** A file of one case of these steps. */
function recorded(name: string, ...steps: readonly object[]): string {
  const numbered = steps.map((step, i) => ({ i, actor: 'A', ...step }));
  const one = { case: name, env: { granter: 'loopback' }, steps: numbered };
  return file(`${name}.json`, JSON.stringify([one]));
}

const open = {
  op: 'gntalloc.ALLOC_GREF',
  args: { domid: 0, flags: 1, count: 1 },
  result: 0,
  observed: { index: 0, refs: ['g0'] },
};

describe('gntrace conform', () => {
  test('ends with 0 if every case agrees, and prints a line for each and one for all', async () => {
    const { status, out } = await run(GOLDEN, '--case', 'bad_ref');
    expect(status).toBe(0);
    expect(out.trim().split('\n')).toEqual([
      'bad_ref  loopback  agree  31 steps',
      'bad_ref  domU      agree  33 steps',
      '2 cases: 2 agree, 0 differ, 0 unsupported',
    ]);
  });

  test('ends with 1 if a case differs, and names the step and both values', async () => {
    const { status, out } = await run(recorded('other', { ...open, result: -1, errno: 'EPERM' }));
    expect(status).toBe(1);
    expect(out).toBe(
      'other  loopback  differ  step 0 (A: gntalloc.ALLOC_GREF), ' +
        'result: expected "-1 EPERM", seen "0"\n' +
        '1 cases: 0 agree, 1 differ, 0 unsupported\n',
    );
  });

  test('ends with 125 if a case needs what is not there, unless another differs', async () => {
    const unknown = recorded('unknown', open, { op: 'userfaultfd(register)', result: 0 });
    const { status, out } = await run(unknown, '--json');
    expect(status).toBe(125);
    const report = JSON.parse(out) as { results: Result[] };
    expect(report).toMatchObject({ cases: 1, agree: 0, differ: 0, unsupported: 1 });
    expect(report.results[0]?.unsupported).toEqual({
      step: 1,
      actor: 'A',
      op: 'userfaultfd(register)',
      reason: 'no operation called "userfaultfd(register)"',
    });
    const wrong = recorded('wrong', { ...open, result: 1 });
    expect((await run(unknown, wrong)).status).toBe(1);
  });

  test('a page that the classic design knows is pinned like any other', async () => {
    const args = ['--case', 'io_uring_register', '--design', 'vm-foreign'];
    expect((await run(GOLDEN, ...args)).status).toBe(0);
  });
});

describe('wrong use gets one line', () => {
  test('for files that are missing, cut off or of another format, all at once', async () => {
    const missing = join(dir, 'missing.json');
    expect(await refusal(missing)).toBe(`${missing}: there is no such file`);
    expect(await refusal(dir)).toBe(`${dir}: EISDIR`);
    const cut = file('cut.json', '[\n {"case": "x", ');
    const message = await refusal(cut, missing);
    expect(message).toMatch(/cut\.json: is no JSON at line 2, column \d+/);
    expect(message).toContain(`; ${missing}: there is no such file`);
    const other = file('shape.json', '[{"case": "x", "env": {"granter": "domU"}, "steps": 3}]');
    expect(await refusal(other)).toBe(`${other}: element 0 (case x), steps: expected Array, not 3`);
    const empty = file('empty.json', '[]');
    expect(await refusal(empty)).toBe(`no recordings in ${empty}`);
  });

  test('for names of cases and designs that nobody knows, with the nearest', async () => {
    expect(await refusal(GOLDEN, '--case', 'map_on')).toBe(
      'no case called "map_on": did you mean map_one?',
    );
    expect(await refusal(GOLDEN, '--case', 'zzzzzz')).toBe('no case called "zzzzzz"');
    expect(await refusal(GOLDEN, '--design', 'vma-page')).toContain('vma-pages');
  });
});
