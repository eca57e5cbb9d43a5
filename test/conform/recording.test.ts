/**
 * Goal: a file of recordings is read as it is, and whatever else is in a file gets one line that
 * names the place.
 * Method: random recordings, written and read again; each kind of damage at a random place.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RecordingError, readRecordings } from '../../src/conform/recording.ts';

const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.startsWith('_'));
const fields = fc.dictionary(
  fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'),
  fc.oneof(fc.integer(), fc.string()),
);
const steps = fc
  .array(
    fc.record({
      actor: fc.constantFrom('A', 'B', 'R'),
      op: name,
      args: fields,
      result: fc.oneof(fc.integer(), fc.constant(null)),
      errno: fc.constantFrom(null, 'EINVAL'),
      observed: fields,
    }),
    { maxLength: 5 },
  )
  .map((list) => list.map((step, i) => ({ i, ...step })));
const counter = fc.integer({ min: 0, max: 128 });
const dump = fc.record({
  afterStep: fc.integer({ min: -1, max: 5 }),
  actor: fc.constantFrom('A', 'R'),
  label: fc.string(),
  activeCount: counter,
  active: fc.array(
    fc.record({
      grant: name,
      mappedBy: counter,
      hstw: counter,
      hstr: counter,
      devw: counter,
      devr: counter,
      grantedTo: counter,
      flags: fc.constantFrom('0x9', '0x19'),
    }),
    { maxLength: 2 },
  ),
});
const recording = fc.record({
  case: name,
  env: fc.record({ granter: fc.constantFrom('loopback', 'domU'), xen: fc.string() }),
  description: fc.string(),
  stable: fc.constantFrom(true, false, null),
  steps,
  grantDump: fc.array(dump, { maxLength: 3 }),
});

function messageOf(text: string): string {
  try {
    readRecordings(text);
  } catch (error) {
    expect(error).toBeInstanceOf(RecordingError);
    return (error as Error).message;
  }
  return '';
}

describe('the reader of recordings', () => {
  test('gives back what was written, without the elements that describe the file', () => {
    fc.assert(
      fc.property(fc.array(recording, { maxLength: 4 }), (list) => {
        const about = { case: '_about', fields: { case: 'anything' } };
        const read = readRecordings(JSON.stringify([about, ...list]));
        expect(read.length).toBe(list.length);
        expect(read).toMatchObject(list);
      }),
    );
  });

  test('names the place of a value of the wrong type', () => {
    const breaks = [
      ['env', { granter: 'domV' }, 'env.granter'],
      ['steps', [{ i: 0, actor: 'A', op: 5 }], 'steps[0].op'],
      ['steps', 'none', 'steps'],
      ['case', '', 'case'],
      ['grantDump', [{ afterStep: 0, activeCount: -1, active: [] }], 'grantDump[0].activeCount'],
    ] as const;
    fc.assert(
      fc.property(recording, fc.nat(3), fc.constantFrom(...breaks), (good, before, broken) => {
        const [key, value, place] = broken;
        const list: unknown[] = Array.from({ length: before }, () => good);
        list.push({ ...good, [key]: value });
        const message = messageOf(JSON.stringify(list));
        expect(message).toMatch(new RegExp(`^element ${before}\\b`));
        expect(message).toContain(place);
        expect(message).not.toContain('\n');
      }),
    );
  });

  test('says where a text stops being JSON, however it is cut', () => {
    const text = readFileSync('test/golden/xen-4.17-linux-6.1.json', 'utf8').slice(0, 4000);
    fc.assert(
      fc.property(fc.nat(text.length - 1), (at) => {
        const message = messageOf(text.slice(0, at));
        expect(message).toMatch(/^is no JSON/);
        expect(message).not.toContain('\n');
      }),
      { numRuns: 30 },
    );
  });

  test('refuses steps that are not numbered by their places, and files that are no lists', () => {
    const env = { granter: 'loopback' };
    const bad = [{ case: 'x', env, steps: [{ i: 1, actor: 'A', op: 'note' }] }];
    expect(messageOf(JSON.stringify(bad))).toBe(
      'element 0 (case x), steps[0].i: expected 0, the place of the step, not 1',
    );
    expect(messageOf('{}')).toBe('expected an array of recordings');
    expect(messageOf('[3]')).toContain('element 0');
  });
});
