/**
 * Goal: an exploration on several threads ends like one on a single thread; a thread that dies is
 * a failure that names the range, and an interrupt prints what is known.
 * Method: the pool with the built command line's scenarios against this thread; a thread killed
 * amid its range; the built command line as a child process.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { ExplorationPool, ThisThread } from '../../src/campaign/pool.ts';
import { spread } from '../../src/campaign/spread.ts';
import { findScenario } from '../../src/cli/scenarios.ts';
import type { Question } from '../../src/explore/range.ts';

const SCENARIOS = 'src/cli/scenarios';
const pool = new ExplorationPool(2, SCENARIOS);

afterAll(() => pool.close());

const usual = { design: '', param: 0, memory: 'sc', seed: 1, depth: 3 } as const;
const wrong = { ...usual, scenario: 'program/bakery-wrong', param: 2, strategy: 'pct' } as const;
const right = { ...usual, scenario: 'program/readers', param: 8, strategy: 'surw' } as const;
const race = { ...usual, scenario: 'race/unmap-in-use' } as const;

describe('a pool of threads', () => {
  const questions: readonly [string, Question, number][] = [
    ['a wrong program', wrong, 5000],
    ['a right program', right, 2000],
    ['a race that shows', { ...race, design: 'm2p-override', strategy: 'pct' }, 500],
    ['a race that is not there', { ...race, design: 'vma-pages', strategy: 'pos' }, 600],
  ];
  test.each(questions)('says of %s what one thread says', async (_, question, executions) => {
    const limits = { executions, seconds: Infinity };
    const expected = await spread(question, limits, new ThisThread(findScenario));
    expect(await spread(question, limits, pool)).toEqual(expected);
  });

  test('whose thread dies fails, and names the range', async () => {
    const short = new ExplorationPool(2, SCENARIOS);
    try {
      const limits = { executions: 1_000_000_000, seconds: Infinity };
      const run = spread(right, limits, short);
      const timer = setTimeout(() => void short.kill(0), 1500);
      await expect(run).rejects.toThrow(
        /^executions \d+ to \d+ of program\/readers \(surw, seed 1\) are unknown: .*exited/,
      );
      clearTimeout(timer);
    } finally {
      await short.close();
    }
  });

  test('whose threads cannot start fails', async () => {
    const broken = new ExplorationPool(2, 'src/cli/nowhere');
    const limits = { executions: 1000, seconds: Infinity };
    await expect(spread(right, limits, broken)).rejects.toThrow(/are unknown: .*nowhere/);
    await broken.close();
  });
});

const main = fileURLToPath(new URL('../../dist/fibers/src/cli/main.js', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function explore(args: readonly string[], interruptAfterMs?: number): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, 'explore', ...args]);
    const timer =
      interruptAfterMs === undefined
        ? undefined
        : setTimeout(() => child.kill('SIGINT'), interruptAfterMs);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    });
  });
}

describe('gntrace explore --workers', () => {
  test('prints the same for one worker and for two', async () => {
    const args = ['program/chase-lev-unfenced', '--memory', 'tso', '--strategy', 'surw', '--json'];
    const one = await explore([...args, '--workers', '1']);
    const two = await explore([...args, '--workers', '2']);
    const { seconds: _one, ...expected } = JSON.parse(one.stdout) as Record<string, unknown>;
    const { seconds: _two, ...spreadOut } = JSON.parse(two.stdout) as Record<string, unknown>;
    expect(spreadOut).toEqual(expected);
    expect(expected).toMatchObject({ verdict: 'broken' });
    expect([one.status, two.status]).toEqual([1, 1]);
  });

  test.each(['dfs', 'dpor', 'optimal'])(
    'shares %s out with the totals of one',
    async (strategy) => {
      const program = strategy === 'dfs' ? 'program/binc' : 'program/lastzero';
      const args = [program, '--strategy', strategy, '--memory', 'tso', '--json'];
      const param = strategy === 'dfs' ? '2' : '10';
      const one = await explore([...args, '--param', param]);
      const two = await explore([...args, '--param', param, '--workers', '2']);
      const totals = ({ stdout }: Ended): object => {
        const { executions, verdict, exhausted } = JSON.parse(stdout) as Record<string, unknown>;
        return { executions, verdict, exhausted };
      };
      expect(totals(two)).toEqual(totals(one));
      expect(totals(two)).toMatchObject({ verdict: 'safe', exhausted: true });
      expect([one.status, two.status]).toEqual([0, 0]);
    },
  );

  test.each(['1', '2'])('by %s, interrupted, prints what it has', async (workers) => {
    const args = ['program/readers', '--seconds', '100', '--json', '--workers', workers];
    const { status, stdout, stderr } = await explore(args, 4000);
    expect(stderr).toBe('');
    expect(status).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'undecided', interrupted: true });
    expect((JSON.parse(stdout) as { executions: number }).executions).toBeGreaterThan(0);
  });

  test('says in one line which strategies can be spread', async () => {
    const args = ['program/readers', '--strategy', 'delay-bounded', '--workers', '2'];
    const { status, stdout, stderr } = await explore(args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      'gntrace: --workers spreads random, pct, pos, surw, dfs, dpor, optimal; ' +
        'delay-bounded goes on one thread\n',
    );
  });
});
