/**
 * Goal: a wrong word or number for a suite of `gntrace bench` is refused in one line, status 2.
 * Method: the command as a process, a wrong use of each suite that takes options.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../dist/fibers/src/cli/main.js', import.meta.url));

describe('gntrace bench', () => {
  test.each([
    ['lokups', 'no suite called "lokups": did you mean lookups?'],
    ['lookups --variant x', 'no variant called "x"'],
    ['limits --lookup gup-fast-5', 'did you mean gup-fast-2?'],
    ['limits --entries 2^23', '--entries can be at most 2^22'],
    ['limits --turns 0', '--turns must be a whole number of at least 1'],
    ['limits --vmas x', '--vmas must be a whole number of at least 1'],
    ['operations --pages 0', '--pages must be a whole number of at least 1'],
    ['check --lookup p2n', 'did you mean p2m?'],
    ['rivals --seconds x', '--seconds must be a number above 0'],
    ['explore --seconds 0', '--seconds must be a number above 0'],
    ['strategies --program safestak', 'did you mean safestack?'],
    ['strategies --strategy dfs', 'no strategy called "dfs"'],
    ['strategies --seeds x', '--seeds must be a whole number of at least 1'],
    ['strategies --seconds 0', '--seconds must be a number above 0'],
    ['strategies --executions -1', '--executions must be a whole number of at least 1'],
    ['stress --soak x', '--soak must be a number above 0'],
    ['torn --seconds x', '--seconds must be a number above 0'],
  ])('refuses %s in one line', (words, wanted) => {
    const args = [main, 'bench', ...words.split(' ')];
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect([status, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
    expect(stderr).toContain(`gntrace: `);
    expect(stderr).toContain(wanted);
  });
});
