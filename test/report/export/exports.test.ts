/**
 * Goal: JUnit, GitHub, NDJSON and ShiViz files are what their readers expect, and names of
 * scenarios, words and notes stay data in each. Method: a small race and real ones, read back by
 * strict readers; names that try to be markup, commands or several lines.
 */
import { describe, expect, test } from 'vitest';
import { FORMAT_NAMES, exported } from '../../../src/report/export/formats.ts';
import { githubAnnotations, githubSummary } from '../../../src/report/export/github.ts';
import { junitXml } from '../../../src/report/export/junit.ts';
import { operationLines } from '../../../src/report/export/ndjson.ts';
import { shivizLog } from '../../../src/report/export/shiviz.ts';
import { findRace } from '../real-races.ts';
import { narration, recorded } from '../small-race.ts';
import { parseXml } from './xml-checker.ts';

const evil = '<img src=x onerror="alert(1)">\u0000\u001b[2J&\n::error::x|`a`';
const small = recorded();
const real = findRace('race/x4-steal-handle', 'before', 'tso');
const hostile = recorded(undefined, { scenario: evil });

describe('JUnit', () => {
  const one = { scenario: 'a', design: 'b', memory: 'sc', strategy: 'pct', seconds: 1.5 };

  test('is XML, with a failure that tells the race and how to see it again', () => {
    const root = parseXml(exported(real, 'junit'));
    expect(root.attributes).toMatchObject({ tests: '1', failures: '1', skipped: '0', errors: '0' });
    const [found] = root.children[0]?.children ?? [];
    expect(found?.attributes).toMatchObject({ classname: 'race/x4-steal-handle' });
    const [properties, failure] = found?.children ?? [];
    expect(failure?.attributes['type']).toBe('I3');
    expect(failure?.text).toContain('popWithoutLock');
    const seed = properties?.children.find(({ attributes }) => attributes['name'] === 'seed');
    expect(seed?.attributes['value']).toBe(real.seed);
  });

  test('counts what is safe, broken and undecided, which is skipped', () => {
    const root = parseXml(
      junitXml([
        { ...one, verdict: 'safe', executions: 9 },
        { ...one, verdict: 'undecided' },
        { ...one, verdict: 'broken', race: small },
      ]),
    );
    expect(root.attributes).toMatchObject({ tests: '3', failures: '1', skipped: '1' });
    const names = root.children[0]?.children.map(({ children }) => children.at(-1)?.name);
    expect(names).toEqual(['properties', 'skipped', 'failure']);
  });

  test('keeps names as text, and says what XML cannot say as a question mark', () => {
    const found = parseXml(exported(hostile, 'junit')).children[0]?.children[0];
    const name = found?.attributes['classname'] ?? '';
    expect(name).toContain('<img src=x onerror="alert(1)">??[2J&');
    expect(exported(hostile, 'junit')).not.toContain('<img');
  });
});

describe('GitHub', () => {
  test('gets an error where it broke and a notice on the other access', () => {
    const [error, notice] = githubAnnotations(small);
    const at = 'file=src/linux/drivers/unmap.ts,line=12,col=1';
    expect(error?.startsWith(`::error ${at},title=I8 in getUserPages / unmapRefs::`)).toBe(true);
    expect(error).toContain('%0Agntrace replay gnt1.x');
    expect(notice).toMatch(/^::notice file=src\/linux\/drivers\/unmap\.ts,line=41,/);
    expect(githubAnnotations(recorded({ ...narration, complaint: null }))).toEqual([]);
  });

  test('cannot be given commands or lines by names', () => {
    const complaint = { invariant: 'a:b,c%', message: 'x\r\n::error::y', words: [] };
    for (const line of githubAnnotations(recorded({ ...narration, complaint }))) {
      expect(line).not.toMatch(/[\r\n]/);
      expect(line.match(/title=(.*?)::/)?.[1]).not.toMatch(/[:,]/);
    }
    const summary = githubSummary([hostile]);
    expect(summary).not.toMatch(/<img|\n::/);
    expect(summary.trimEnd().split('\n')).toHaveLength(3);
  });
});

describe('NDJSON', () => {
  test.each([small, real, hostile])('has a line for each step, between start and end', (race) => {
    const lines = operationLines(race)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of lines) expect(Object.keys(line).slice(0, 2)).toEqual(['v', 't']);
    expect(lines[0]).toMatchObject({ t: 'start', schema: 'operations/v1', seed: race.seed });
    expect(lines[0]?.['scenario']).toBe(race.scenario);
    expect(lines.at(-1)).toMatchObject({ t: 'end', steps: race.steps.length });
    const operations = lines.filter(({ t }) => t === 'op');
    expect(operations.map(({ i }) => i)).toEqual(race.steps.map((_, i) => i + 1));
    expect(lines.filter(({ t }) => t === 'switch')).toHaveLength(race.switches.length);
    const words = operations.map(({ word }) => word ?? null);
    expect(words).toEqual(race.steps.map(({ object }) => race.objects[object]?.name ?? null));
  });
});

describe('ShiViz', () => {
  test.each([small, real, hostile])('has two lines an event, which its pattern reads', (race) => {
    const [pattern = '', empty, ...lines] = shivizLog(race).trimEnd().split('\n');
    expect(empty).toBe('');
    expect(lines).toHaveLength(2 * race.steps.length);
    const event = new RegExp(`^${pattern.replace(String.raw`\n`, '\n')}$`);
    const seen = new Map<string, number>();
    for (let i = 0; i < lines.length; i += 2) {
      const groups = event.exec(`${lines[i]}\n${lines[i + 1]}`)?.groups;
      const clock = JSON.parse(groups?.['clock'] ?? '{}') as Record<string, number>;
      const host = groups?.['host'] ?? '';
      expect(clock[host]).toBe((seen.get(host) ?? 0) + 1);
      seen.set(host, clock[host] ?? 0);
    }
  });
});

test('every form can be made of every race', () => {
  for (const format of FORMAT_NAMES) {
    for (const race of [small, hostile, recorded({ ...narration, complaint: null })]) {
      expect(typeof exported(race, format)).toBe('string');
    }
  }
  expect(JSON.parse(exported(real, 'json'))).toEqual(real);
});

test('no form for people lets a name steer the terminal', () => {
  for (const format of ['text', 'kernel']) {
    // oxlint-disable-next-line no-control-regex
    expect(exported(hostile, format)).not.toMatch(/[\u0000-\u0009\u001b]/);
  }
});
