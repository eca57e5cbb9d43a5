/**
 * Goal: `gntrace explore`, `list` and `litmus` answer in the words and exit statuses that they
 * promise.
 * Method: the commands run in this process; what they print and the status they give are compared.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test, vi } from 'vitest';
import { exploreCommand } from '../../src/cli/explore.ts';
import { listCommand } from '../../src/cli/list.ts';
import { litmusCommand } from '../../src/cli/litmus.ts';
import { replayCommand } from '../../src/cli/replay.ts';
import { shrinkCommand } from '../../src/cli/shrink.ts';
import { UsageError } from '../../src/cli/usage.ts';

interface Shown {
  readonly preemptions: number;
}

interface Answer {
  readonly status: number;
  readonly out: string;
}

async function run(
  commandOf: (exit: (status: number) => void) => Command,
  ...args: readonly string[]
): Promise<Answer> {
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

const sb = new URL('../litmus/x86/SB.litmus', import.meta.url).pathname;
const mp = new URL('../litmus/x86/MP.litmus', import.meta.url).pathname;

function badFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gntrace-')), 'bad.litmus');
  writeFileSync(file, text);
  return file;
}

const wrong = (...args: readonly string[]): Promise<Answer> => run(exploreCommand, ...args);

describe('explore', () => {
  test('prints one JSON object for a safe scenario and exits with 0', async () => {
    const args = ['program/lastzero', '--param', '5', '--strategy', 'optimal', '--json'];
    const { status, out } = await run(exploreCommand, ...args);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      scenario: 'program/lastzero',
      param: 5,
      design: null,
      memory: 'sc',
      strategy: 'optimal',
      verdict: 'safe',
      exhausted: true,
      executions: 64,
      blocked: 0,
    });
  });

  test('names what broke and exits with 1', async () => {
    const args = ['program/dekker-unfenced', '--memory', 'tso', '--strategy', 'optimal', '--json'];
    const { status, out } = await run(exploreCommand, ...args);
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'broken',
      finding: { invariant: 'outcome', message: 'outcome: critical.entries is 1, must be 2' },
    });
  });

  test('says in text how far it came', async () => {
    const args = ['program/coa', '--memory', 'tso', '--strategy', 'optimal'];
    const { out } = await run(exploreCommand, ...args);
    expect(out).toContain('program/coa (3)  safe  [optimal, tso]');
    expect(out).toContain('144 executions, every schedule covered');
  });

  test('exits with 125 when the budget is spent', async () => {
    const args = ['program/readers', '--strategy', 'random', '--executions', '10'];
    const { status, out } = await run(exploreCommand, ...args);
    expect(status).toBe(125);
    expect(out).toContain('undecided');
    const timed = ['program/safestack', '--strategy', 'dfs', '--seconds', '0.2'];
    expect((await run(exploreCommand, ...timed)).status).toBe(125);
  });

  test('wrong use is answered with the nearest right word', async () => {
    await expect(wrong('program/lastzreo')).rejects.toThrow('did you mean program/lastzero?');
    await expect(wrong('lastzero')).rejects.toThrow('did you mean program/lastzero?');
    await expect(wrong('zzzzzzzzzzzz')).rejects.toThrow('gntrace list names them all');
    await expect(wrong('program/coa', '--memory', 'ts')).rejects.toThrow('did you mean tso?');
    await expect(wrong('program/coa', '--param', '0')).rejects.toThrow(UsageError);
    await expect(wrong('program/coa', '--design', 'x')).rejects.toThrow('has no designs');
    await expect(wrong('program/coa', '--seconds', '-1')).rejects.toThrow('--seconds');
  });
});

describe('replay and shrink', () => {
  const broken = ['program/treiber-stack-wrong', '--strategy', 'random', '--json'];

  async function foundSeed(): Promise<string> {
    const { out } = await run(exploreCommand, ...broken);
    return (JSON.parse(out) as { finding: { seed: string } }).finding.seed;
  }

  test('a seed shows the same finding again, with the same digest', async () => {
    const seed = await foundSeed();
    const { status, out } = await run(replayCommand, seed, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      scenario: 'program/treiber-stack-wrong',
      on: 'fibers',
      verdict: 'broken',
      invariant: 'outcome',
    });
    expect((await run(replayCommand, seed, '--json')).out).toBe(out);
    expect((await run(replayCommand, seed, '--all')).out).toContain('stack.top');
  });

  test('a shrunk seed has no more preemptions and still shows it', async () => {
    const seed = await foundSeed();
    const before = JSON.parse((await run(replayCommand, seed, '--json')).out) as Shown;
    const shrunk = await run(shrinkCommand, seed, '--json');
    const after = JSON.parse(shrunk.out) as Shown & { seed: string };
    expect(shrunk.status).toBe(1);
    expect(after.preemptions).toBeLessThanOrEqual(before.preemptions);
    const again = JSON.parse((await run(replayCommand, after.seed, '--json')).out) as Shown;
    expect(again).toMatchObject({ invariant: 'outcome', preemptions: after.preemptions });
  });

  test('a damaged, foreign or newer seed is wrong use', async () => {
    const seed = await foundSeed();
    await expect(run(replayCommand, `${seed}0`)).rejects.toThrow('checksum');
    await expect(run(replayCommand, 'hello')).rejects.toThrow('no gntrace seed');
    await expect(run(replayCommand, seed.replace('gnt1', 'gnt9'))).rejects.toThrow('version 9');
    await expect(run(shrinkCommand, seed.slice(0, 20))).rejects.toThrow(UsageError);
  });
});

describe('list', () => {
  test('names every program with a sentence', async () => {
    const { status, out } = await run(listCommand, '--json');
    const all = JSON.parse(out) as {
      scenarios: { name: string; about: string }[];
      races: { id: string; race: string; title: string; sources: string[]; actors: unknown[] }[];
      designs: string[];
      strategies: string[];
      memories: string[];
    };
    const list = all.scenarios;
    expect(status).toBe(0);
    expect(list.map(({ name }) => name)).toContain('program/safestack');
    expect(list.every(({ about }) => about.endsWith('.'))).toBe(true);
    expect(new Set(list.map(({ name }) => name)).size).toBe(list.length);
    expect(all.races.every(({ race }) => list.some(({ name }) => name === `race/${race}`))).toBe(
      true,
    );
    expect(all.races.every(({ sources, actors }) => sources.length > 0 && actors.length > 0)).toBe(
      true,
    );
    expect(all.designs).toContain('vma-pages');
    expect(all.strategies).toContain('optimal');
    expect(all.memories).toEqual(['sc', 'tso']);
    const text = await run(listCommand);
    for (const { name } of list) expect(text.out).toContain(name);
    expect(text.out).toContain('XSA-218');
  });
});

describe('litmus', () => {
  test('exits by the conditions: 0 if all are true, 1 if one is not', async () => {
    const tso = await run(litmusCommand, sb, '--memory', 'tso');
    expect(tso.status).toBe(0);
    expect(tso.out).toContain('Observation SB Sometimes 1 3');
    expect((await run(litmusCommand, sb, mp, '--memory', 'tso')).status).toBe(1);
    expect((await run(litmusCommand, mp)).status).toBe(1);
  });

  test('prints one JSON array', async () => {
    const { out } = await run(litmusCommand, sb, mp, '--memory', 'tso', '--json');
    const [first, second] = JSON.parse(out) as Record<string, unknown>[];
    expect(first).toMatchObject({
      file: sb,
      name: 'SB',
      memory: 'tso',
      condition: 'exists (0:EAX=0 /\\ 1:EAX=0)',
      verdict: 'Sometimes',
      ok: true,
      positive: 1,
      negative: 3,
      exhausted: true,
    });
    expect(first?.['states']).toContainEqual({ state: '0:EAX=0; 1:EAX=0;', count: 1 });
    expect(second).toMatchObject({ name: 'MP', verdict: 'Never', ok: false });
  });

  test('exits with 125 when not every interleaving was run and nothing is settled', async () => {
    expect((await run(litmusCommand, mp, '--executions', '1')).status).toBe(125);
  });

  test('names every file and line that it cannot read', async () => {
    const file = badFile('X86 T\n{}\nP0;\nFROB EAX;\nexists (x=1)\n');
    const attempt = run(litmusCommand, file, '/nowhere.litmus');
    await expect(attempt).rejects.toThrow(UsageError);
    await expect(run(litmusCommand, file, '/nowhere.litmus')).rejects.toThrow(
      `${file}:4: no instruction "FROB" is known; /nowhere.litmus: there is no such file`,
    );
  });
});
