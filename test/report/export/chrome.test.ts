/**
 * Goal: the trace opens in Perfetto and says what the record says: each operation once, on its
 * vCPU's thread, interrupts as arrows into their handlers, counts as counters. Method: real races
 * checked against the format's field list, and the checker itself against files that are wrong.
 */
import { describe, expect, test } from 'vitest';
import { chromeTrace, traceEvents } from '../../../src/report/export/chrome.ts';
import type { RaceRecord } from '../../../src/report/race.ts';
import { findRace, foundIn } from '../real-races.ts';
import { recorded } from '../small-race.ts';
import { opposite } from '../stuck-programs.ts';
import { wrongWith } from './trace-event-checker.ts';

const races: readonly (readonly [string, () => RaceRecord])[] = [
  ['x1-unmap-accounting', () => findRace('race/x1-unmap-accounting', 'before', 'sc')],
  ['l26-lost-wake-up', () => findRace('race/l26-lost-wake-up', 'before', 'tso')],
  ['treiber-stack', () => findRace('program/treiber-stack-wrong', '', 'tso')],
  ['a deadlock', () => foundIn(opposite('waits'), { scenario: 'test/locks', design: '' })],
];

describe.each(races)('%s', (_, find) => {
  const race = find();

  test('is good by the field list, and has every operation once', () => {
    expect(wrongWith(chromeTrace(race))).toEqual([]);
    const steps = traceEvents(race).flatMap(({ ph, args }) =>
      ph === 'X' && args !== undefined ? [args['step']] : [],
    );
    expect(steps).toEqual(race.steps.map((__, i) => i + 1));
  });
});

test('domains are processes, vCPUs threads; handlers run on the vCPU that they interrupt', () => {
  const race = findRace('race/l26-lost-wake-up', 'before', 'sc');
  const events = traceEvents(race);
  for (const { ph, pid, tid, args } of events) {
    if (ph !== 'X' || args === undefined) continue;
    const actor = race.actors.find(({ name }) => name === args['actor']);
    expect([pid, tid]).toEqual([actor?.domain, (actor?.vcpu ?? 0) + 1]);
  }
  const arrows = events.filter(({ ph, name }) => ph === 's' && name === 'ipi');
  expect(arrows).toHaveLength(race.edges.filter(([, , kind]) => kind === 'ipi').length);
  expect(arrows.length).toBeGreaterThan(0);
});

test('counters follow reference and pin counts', () => {
  const race = findRace('race/x1-unmap-accounting', 'before', 'sc');
  const counters = traceEvents(race).filter(({ ph }) => ph === 'C');
  const pins = counters.filter(({ name }) => /^active\[d\d+\]\.entry\[\d+\]\.pin$/.test(name));
  expect(pins.length).toBeGreaterThan(1);
  for (const { args } of pins) expect(Object.keys(args ?? {})).toContain('hstw');
  expect(counters.some(({ name }) => name.endsWith('.countInfo'))).toBe(true);
});

test('names are data', () => {
  const evil = '<img src=x onerror="alert(1)">"}]\n';
  const file = chromeTrace(recorded(undefined, { scenario: evil }));
  expect(wrongWith(file)).toEqual([]);
  expect((JSON.parse(file) as { otherData: { scenario: string } }).otherData.scenario).toBe(evil);
});

describe('the checker sees', () => {
  const named = [
    { ph: 'M', pid: 0, tid: 0, name: 'process_name', args: { name: 'd0' } },
    { ph: 'M', pid: 0, tid: 1, name: 'thread_name', args: { name: 'd0v0' } },
  ];
  const slice = (ts: number, dur: number) => ({
    ph: 'X',
    pid: 0,
    tid: 1,
    name: 'f',
    cat: 'function',
    ts,
    dur,
  });
  const flow = (ph: 's' | 'f', ts: number, id = '0x1') => ({
    ph,
    pid: 0,
    tid: 1,
    name: 'ipi',
    cat: 'order',
    id,
    ts,
    ...(ph === 'f' && { bp: 'e' }),
  });
  const check = (...events: object[]): string[] =>
    wrongWith(JSON.stringify({ traceEvents: [...named, ...events] }));

  test('a good file', () => {
    expect(check(slice(0, 10), slice(2, 3), flow('s', 3), flow('f', 9))).toEqual([]);
  });

  test.each([
    ['slices that cross', [slice(0, 10), slice(5, 10)]],
    ['a missing duration', [{ ...slice(0, 1), dur: undefined }]],
    ['a field that is not of the format', [{ ...slice(0, 1), colour: 'red' }]],
    ['a flow outside of slices', [slice(0, 10), flow('s', 3), flow('f', 30)]],
    ['a flow without an end', [slice(0, 10), flow('s', 3)]],
    ['a flow backwards', [slice(0, 10), flow('s', 9), { ...flow('f', 3) }]],
    ['an id that is no number', [slice(0, 10), flow('s', 3, 'x'), flow('f', 9, 'x')]],
    ['a thread without a name', [{ ...slice(0, 1), tid: 7 }]],
    ['a counter of words', [{ ph: 'C', pid: 0, tid: 0, ts: 1, name: 'n', args: { a: 'b' } }]],
    ['a fraction of a microsecond', [slice(0.5, 1)]],
  ])('%s', (_, events) => {
    expect(check(...events)).not.toEqual([]);
  });
});
