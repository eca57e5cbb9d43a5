/**
 * Goal: a campaign ends in time (--for), prefers what is new (--new), knows old findings again
 * (--baseline), and what it found reaches other tools (--junit, results export). Method: the built
 * command line with campaigns of a few hundred executions; what it wrote is read strictly.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { jsonOf, main } from '../campaign/children.ts';
import type { Line } from '../campaign/children.ts';
import { folder } from '../campaign/here.ts';
import type { Element } from '../report/export/xml-checker.ts';
import { parseXml } from '../report/export/xml-checker.ts';

const CLEAN = 0;
const FINDING = 1;
const USAGE = 2;
/** A campaign that does not end by itself is ended. */
const MOST_MS = 60_000;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function gntrace(...args: readonly string[]): Ended {
  const env = { ...process.env, GITHUB_ACTIONS: '' };
  const how = { encoding: 'utf8', env, timeout: MOST_MS } as const;
  return spawnSync(process.execPath, [main, ...args], how);
}

/** A campaign on one thread. */
function campaign(...args: readonly string[]): Ended {
  return gntrace('campaign', '--workers', '1', ...args);
}

function linesOf({ stdout }: Ended): Line[] {
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Line);
}

const dir = folder();
mkdirSync(dir, { recursive: true });
const store = join(dir, 'store');
const at = (name: string): string => join(dir, name);
const broken = ['--scenarios', 'program/lost-update', '--strategies', 'pct'];
const asked = ['--scenarios', 'program/lost-update,program/readers,program/ainc'];
let first: Ended;

beforeAll(() => {
  const plan = [...asked, '--strategies', 'pct,dfs', '--executions', '500'];
  first = campaign(...plan, '--store', store, '--junit', at('junit.xml'));
});

describe('--for', () => {
  test('begins nothing after that time, though there is more to do', () => {
    const plan = ['--scenarios', 'program/readers', '--strategies', 'random'];
    const bounds = [[], ['--executions', '2000000000']];
    for (const [i, bound] of bounds.entries()) {
      const kept = at(`for${i}`);
      const ended = campaign(...plan, ...bound, '--for', '1s', '--store', kept, '--json');
      expect(ended.status).toBe(CLEAN);
      const last = linesOf(ended).at(-1);
      expect(last).toMatchObject({ t: 'campaign.end', interrupted: false });
      const wanted = bound[1] === undefined ? null : Number(bound[1]);
      const [cell] = jsonOf(['results', '--json', '--store', kept])['cells'] as object[];
      expect(cell).toMatchObject({ wanted, executions: last?.['executions'], verdict: 'open' });
    }
  });

  test('takes a time, and nothing else', () => {
    const ended = campaign(...broken, '--for', 'long', '--store', at('never'));
    expect(ended.status).toBe(USAGE);
    expect(ended.stderr).toContain('--for');
  });
});

describe('--new', () => {
  /** Few steps and few pairs of accesses against many of both. */
  const plan = {
    cells: [
      { scenarios: ['program/readers'], param: 60, strategies: ['random'], executions: 500 },
      { scenarios: ['program/casw'], param: 2, strategies: ['random'], executions: 500 },
    ],
  };
  const shards = (...how: string[]): string[] => {
    writeFileSync(at('plan.json'), JSON.stringify(plan));
    const kept = at(`new${how.length}`);
    return linesOf(campaign(at('plan.json'), '--store', kept, '--json', ...how))
      .filter(({ t }) => t === 'shard')
      .map(({ cell, shard }) => `${String(cell)}.${String(shard)}`);
  };

  test('goes on with the cell that still shows something new, not with the shortest', () => {
    expect(shards()).toEqual(['0.0', '1.0', '1.1', '0.1']);
    expect(shards('--new')).toEqual(['0.0', '1.0', '0.1', '1.1']);
  });
});

describe('--baseline', () => {
  test('knows what an export or a store holds, whatever the seed; and nothing else', () => {
    expect(gntrace('results', 'export', '--store', store, '--ndjson', at('known')).status).toBe(0);
    const again = [...broken, '--executions', '500', '--seed', '7'];
    for (const [i, known] of [at('known'), store].entries()) {
      const ended = campaign(...again, '--store', at(`again${i}`), '--baseline', known);
      expect(ended.stdout).toContain('0 of 1 findings are new');
      expect(ended.status).toBe(CLEAN);
    }
    const other = ['--scenarios', 'program/bakery-wrong', '--strategies', 'pct', '--seed', '2'];
    const ended = campaign(...other, '--store', at('other'), '--baseline', at('known'));
    expect(ended.stdout).toContain('1 of 1 findings are new');
    expect(ended.status).toBe(FINDING);
  });

  test('that cannot be read is wrong use, before anything is run', () => {
    writeFileSync(at('text'), 'no JSON\n');
    for (const path of [at('text'), at('nowhere'), dir]) {
      const ended = campaign(...broken, '--store', at('unread'), '--baseline', path);
      expect(ended.status).toBe(USAGE);
      expect(ended.stderr).toContain(path);
      expect(ended.stdout).toBe('');
    }
    expect(readdirSync(dir)).not.toContain('unread');
  });
});

describe('--junit', () => {
  const cases = (): Element[] => {
    const suites = parseXml(readFileSync(at('junit.xml'), 'utf8'));
    expect(suites.attributes).toMatchObject({ tests: '6', failures: '2', errors: '0' });
    return suites.children.flatMap(({ children }) => children);
  };
  const outcome = ({ children }: Element): string =>
    children.map(({ name }) => name).findLast((name) => name !== 'properties') ?? 'passed';

  test('has a case for each cell, which failed, passed or was skipped', () => {
    expect(first.status).toBe(FINDING);
    const told = cases().map((one) => {
      const { classname, name } = one.attributes;
      return `${classname} ${name}: ${outcome(one)}`;
    });
    expect(told.sort()).toEqual([
      'program/ainc sc dfs: passed',
      'program/ainc sc pct: skipped',
      'program/lost-update sc dfs: failure',
      'program/lost-update sc pct: failure',
      'program/readers sc dfs: skipped',
      'program/readers sc pct: skipped',
    ]);
  });

  test('tells of a failure by the command that shows it again', () => {
    const failed = cases().find((one) => outcome(one) === 'failure');
    const failure = failed?.children.find(({ name }) => name === 'failure');
    expect(failure?.attributes['message']).toMatch(/^outcome: x is \d, must be \d$/);
    const [, seed] = /gntrace replay (\S+)$/.exec(failure?.text.trim() ?? '') ?? [];
    const shown = gntrace('replay', seed ?? '');
    expect(shown.status).toBe(FINDING);
    expect(shown.stdout).toContain(failure?.attributes['message']);
  });
});

describe('results export', () => {
  test('--html writes an index, and a page of each race that it leads to', () => {
    expect(gntrace('results', 'export', '--store', store, '--html', at('html')).status).toBe(0);
    const page = readFileSync(at('html/index.html'), 'utf8');
    const { findings } = jsonOf(['results', '--json', '--store', store]);
    const [found, ...others] = findings as { message: string; shrunk: Line }[];
    expect(others).toEqual([]);
    expect(page).toContain(found?.shrunk['message']);
    expect(page).toContain(found?.shrunk['seed']);
    const links = [...page.matchAll(/href="([^"#]+\.html)"/g)].map(([, link]) => link as string);
    const races = readdirSync(at('html/index-races')).filter((name) => name.endsWith('.html'));
    expect(links).toEqual(races.map((name) => `./index-races/${name}`));
    expect(races).toHaveLength(1);
    const race = readFileSync(at(`html/index-races/${races[0]}`), 'utf8');
    expect(race).toContain(found?.shrunk['seed']);
  });

  test('writes what it is asked, and lines of JSON to stdout if nothing', () => {
    const lines = linesOf(gntrace('results', 'export', '--store', store)).map(({ t }) => t);
    expect(lines).toEqual(['campaign', ...Array(6).fill('cell'), 'finding']);
    const github = gntrace('results', 'export', '--store', store, '--github').stdout;
    expect(github).toMatch(/^::error .*outcome: x is/m);
    expect(github).not.toContain('"t":"cell"');
    const junit = gntrace('results', 'export', '--store', store, '--junit', at('later.xml'));
    expect(junit).toMatchObject({ status: CLEAN, stdout: '' });
    expect(readFileSync(at('later.xml'), 'utf8')).toBe(readFileSync(at('junit.xml'), 'utf8'));
  });
});
