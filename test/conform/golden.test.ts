/**
 * Goal: the simulated Xen and Linux answer as the real ones did, step by step and grant by grant.
 * Method: the command plays the whole file of recordings; each case is a test of its own.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Result } from '../../src/conform/play.ts';
import { readRecordings } from '../../src/conform/recording.ts';

const FILE = 'test/golden/xen-4.17-linux-6.1.json';
const MAIN = 'dist/fibers/src/cli/main.js';

interface Report {
  readonly cases: number;
  readonly agree: number;
  readonly results: readonly Result[];
}

const run = spawnSync(process.execPath, [MAIN, 'conform', FILE, '--json'], {
  encoding: 'utf8',
  maxBuffer: 1 << 26,
});
const report = JSON.parse(run.stdout) as Report;
const recordings = readRecordings(readFileSync(FILE, 'utf8'));

describe('Xen 4.17 with Linux 6.1', () => {
  test('is played whole, and the command says that all agree', () => {
    expect(report.results.map((result) => [result.case, result.env])).toEqual(
      recordings.map((recording) => [recording.case, recording.env]),
    );
    expect([run.status, report.cases, report.agree]).toEqual([0, 85, 85]);
  });

  test.each(report.results.map((result) => [result.case, result.env.granter, result] as const))(
    '%s, granted by %s',
    (_name, _granter, { verdict, difference, unsupported }) => {
      expect({ verdict, difference, unsupported }).toEqual({
        verdict: 'agree',
        difference: null,
        unsupported: null,
      });
    },
  );
});
