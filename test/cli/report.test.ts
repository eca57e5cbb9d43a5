/**
 * Goal: `replay` and `explore` hand races over in every form, say by their exit status what scripts
 * ask, and `report` makes few races of what they wrote. Method: the commands run in this process
 * over a directory of their own.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { exploreCommand } from '../../src/cli/explore.ts';
import { replayCommand } from '../../src/cli/replay.ts';
import { reportCommand } from '../../src/cli/report.ts';
import { UsageError } from '../../src/cli/usage.ts';
import type { RaceRecord } from '../../src/report/race.ts';
import { wrongWith } from '../report/export/trace-event-checker.ts';
import { parseXml } from '../report/export/xml-checker.ts';

interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  commandOf: (exit: (status: number) => void) => Command,
  ...args: readonly string[]
): Promise<Answer> {
  let status = -1;
  const command = commandOf((next) => {
    status = next;
  }).exitOverride();
  const texts = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      texts[stream] += String(text);
      return true;
    }),
  );
  try {
    await command.parseAsync([...args], { from: 'user' });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return { status, out: texts.stdout, err: texts.stderr };
}

const dir = mkdtempSync(join(tmpdir(), 'gntrace-report-'));
const at = (...parts: string[]): string => join(dir, ...parts);
const question = ['program/lost-update', '--strategy', 'random', '--executions', '1000'];
let seed = '';

beforeAll(async () => {
  mkdirSync(at('found'));
  const exports = ['json', 'chrome', 'junit', 'ndjson', 'shiviz', 'kernel'].flatMap((form) => [
    '--export',
    `${form}=${at('found', form === 'json' ? 'a.json' : `a-${form}`)}`,
  ]);
  const found = await run(exploreCommand, ...question, ...exports);
  expect(found.status).toBe(1);
  seed = (JSON.parse(readFileSync(at('found', 'a.json'), 'utf8')) as RaceRecord).seed;
  expect(found.out).toContain(`gntrace replay ${seed}`);
});

beforeEach(() => {
  vi.stubEnv('GITHUB_ACTIONS', '');
  vi.stubEnv('COLUMNS', '');
});
afterEach(() => vi.unstubAllEnvs());

describe('exports', () => {
  test('are the forms that they say', () => {
    const text = (name: string): string => readFileSync(at('found', name), 'utf8');
    expect(wrongWith(text('a-chrome'))).toEqual([]);
    expect(parseXml(text('a-junit')).attributes).toMatchObject({ failures: '1' });
    expect(text('a-kernel')).toContain('BUG: gntrace: ');
    expect(JSON.parse(text('a-ndjson').split('\n')[0] ?? '')).toMatchObject({ t: 'start', seed });
  });

  test('say in JUnit that all is well, or that nobody knows', async () => {
    const safe = ['program/ainc', '--strategy', 'optimal', '--export', `junit=${at('safe.xml')}`];
    expect((await run(exploreCommand, ...safe)).status).toBe(0);
    expect(parseXml(readFileSync(at('safe.xml'), 'utf8')).attributes).toMatchObject({
      tests: '1',
      failures: '0',
      skipped: '0',
    });
    const open = ['program/ainc', '--executions', '3', '--export', `junit=${at('open.xml')}`];
    expect((await run(exploreCommand, ...open)).status).toBe(125);
    const undecided = parseXml(readFileSync(at('open.xml'), 'utf8'));
    expect(undecided.attributes).toMatchObject({ skipped: '1' });
  });

  test('are printed in place of the table', async () => {
    const { out, status } = await run(exploreCommand, ...question, '--format', 'kernel');
    expect(status).toBe(1);
    expect(out).toMatch(/^=+\nBUG: gntrace: /);
    expect(out).toBe(readFileSync(at('found', 'a-kernel'), 'utf8'));
    const none = await run(exploreCommand, 'program/ainc', '--executions', '3', '--format', 'json');
    expect(none.out).toContain('undecided');
  });

  test.each(['chrome', '=x', 'chrome=', 'crome=x'])('--export %s is wrong use', async (text) => {
    await expect(run(replayCommand, seed, '--export', text)).rejects.toThrow(UsageError);
  });
});

describe('replay', () => {
  test('prints the table in words without colour into a pipe, and in every form', async () => {
    const { out, status } = await run(replayCommand, seed, '--ascii');
    expect(status).toBe(1);
    // oxlint-disable-next-line no-control-regex
    expect(out).toMatch(/^[\n -~]*$/);
    expect(out).toContain('BROKEN');
    expect(out).toContain('!!');
    expect(out).toContain(`replay  gntrace replay ${seed}`);
    const record = JSON.parse((await run(replayCommand, seed, '--format', 'json')).out);
    expect(record).toMatchObject({ schema: 'race/v1', verdict: 'broken', seed });
    await expect(run(replayCommand, seed, '--format', 'picture')).rejects.toThrow(UsageError);
  });

  test('has colour where it is forced, and none where NO_COLOR says so', async () => {
    vi.stubEnv('FORCE_COLOR', '1');
    expect((await run(replayCommand, seed)).out).toContain('\u001b[');
    vi.stubEnv('NO_COLOR', '1');
    expect((await run(replayCommand, seed)).out).not.toContain('\u001b[');
  });

  test('fits the width that COLUMNS tells, but for the command', async () => {
    vi.stubEnv('COLUMNS', '60');
    const lines = (await run(replayCommand, seed)).out.split('\n');
    for (const line of lines) {
      if (!line.includes('gntrace replay')) expect(line.length).toBeLessThanOrEqual(60);
    }
  });

  test('annotates in GitHub Actions', async () => {
    const summary = at('summary.md');
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    vi.stubEnv('GITHUB_STEP_SUMMARY', summary);
    const { out } = await run(replayCommand, seed);
    expect(out).toMatch(/^::error file=src\/programs\//m);
    expect(readFileSync(summary, 'utf8')).toContain(seed);
  });

  test('--expect exits with 0 if and only if this broke', async () => {
    const { invariant } = JSON.parse((await run(replayCommand, seed, '--json')).out) as RaceRecord;
    expect((await run(replayCommand, seed, '--expect', invariant ?? '')).status).toBe(0);
    expect((await run(replayCommand, seed, '--expect', 'I99')).status).toBe(1);
    expect((await run(exploreCommand, ...question, '--expect', invariant ?? '')).status).toBe(0);
    expect((await run(exploreCommand, ...question, '--expect', 'I99')).status).toBe(1);
  });

  test('--bisect skips what a seed cannot tell of and stops at wrong use', async () => {
    const bisect = (text: string): Promise<Answer> => run(replayCommand, text, '--bisect');
    expect((await bisect(seed)).status).toBe(1);
    const wrong = await bisect(seed.slice(0, -1));
    expect(wrong.status).toBe(128);
    expect(wrong.err).toMatch(/^gntrace: .*damaged/);
    const { formatSeed, parseSeed } = await import('../../src/explore/seed.ts');
    const unfit = formatSeed({ ...parseSeed(seed), schedule: [9, 9, 9] });
    expect((await bisect(unfit)).status).toBe(125);
    await expect(run(replayCommand, unfit)).rejects.toThrow(UsageError);
  });
});

describe('report', () => {
  test('groups records, trace files and lines of campaigns, and links pages', async () => {
    const race = JSON.parse(readFileSync(at('found', 'a.json'), 'utf8')) as RaceRecord;
    const { fingerprint, invariant, message, scenario, design, memory, words } = race;
    const line = { v: 1, t: 'finding', fingerprint, invariant, message, scenario, design, memory };
    const shrunk = { seed: `${seed}`, fingerprint, message, words, steps: 1, preemptions: 0 };
    const campaign = { ...line, times: 40, seed, steps: 99, preemptions: 9, shrunk };
    writeFileSync(at('found', 'a.html'), '');
    writeFileSync(
      at('found', 'campaign.ndjson'),
      `${JSON.stringify({ v: 1, t: 'cell' })}\n${JSON.stringify(campaign)}\n{"v":1,"t":"fin`,
    );
    await run(exploreCommand, ...question, '--seed', '9', '--save', at('found', 'b.trace'));
    writeFileSync(at('found', 'other.json'), '{"schema":"else"}');
    writeFileSync(at('found', 'bad.json'), '{');
    const { status, out, err } = await run(reportCommand, at('found'), '--json');
    expect(status).toBe(1);
    expect(err).toContain('bad.json: ');
    const told = JSON.parse(out) as { races: object[]; unread: object[] };
    expect(told).toMatchObject({ schema: 'findings/v1', findings: 3 });
    expect(told.unread).toHaveLength(1);
    expect(told.races).toMatchObject([
      { fingerprint, findings: 3, times: 42, shortest: { steps: 1, file: 'campaign.ndjson' } },
    ]);
    const page = await run(reportCommand, at('found'), '--html', at('index.html'));
    expect(page.out).toContain(`gntrace replay ${seed}`);
    expect(readFileSync(at('index.html'), 'utf8')).toContain('findings of 1 races');
  });

  test('writes the page of a race that has none, and says of which it cannot', async () => {
    mkdirSync(at('bare'));
    const race = JSON.parse(readFileSync(at('found', 'a.json'), 'utf8')) as RaceRecord;
    const other = { ...race, fingerprint: 'I99: of another version', seed: `${seed}0` };
    writeFileSync(at('bare', 'a.json'), JSON.stringify(race));
    writeFileSync(at('bare', 'b.json'), JSON.stringify(other));
    const { err } = await run(reportCommand, at('bare'), '--html', at('bare.html'));
    const page = `bare-races/${seed.slice(-8)}.html`;
    const index = readFileSync(at('bare.html'), 'utf8');
    expect(index.match(/href="[^"]*"/g)).toEqual([`href="./${page}"`]);
    expect(readFileSync(at(page), 'utf8')).toContain(`gntrace replay ${seed}`);
    expect(err).toMatch(/^gntrace: no page of gnt1\..*0: .*damaged.*\n$/);
  });

  test('links the page that lies beside the shortest', async () => {
    mkdirSync(at('one'));
    const text = readFileSync(at('found', 'a.json'), 'utf8');
    writeFileSync(at('one', 'a b.json'), text);
    writeFileSync(at('one', 'a b.html'), '');
    await run(reportCommand, at('one'), '--html', at('one.html'));
    expect(readFileSync(at('one.html'), 'utf8')).toContain('href="./one/a%20b.html"');
  });

  test('of nothing is clean, and of no directory wrong use', async () => {
    mkdirSync(at('empty'));
    expect(await run(reportCommand, at('empty'))).toMatchObject({ status: 0 });
    await expect(run(reportCommand, at('nowhere'))).rejects.toThrow(UsageError);
  });
});
