/**
 * Goal: the same bug has one fingerprint whatever frames, domains and order it is found in, and
 * other bugs have others. Method: names with indices of each form, a small race told both ways
 * round, and two schedules of a past race.
 */
import { expect, test } from 'vitest';
import { prepareRace } from '../../src/campaign/race-scenarios.ts';
import { races } from '../../src/corpus/races.ts';
import { check } from '../../src/explore/check.ts';
import { fingerprint, generalised } from '../../src/report/fingerprint.ts';
import { plainMeaning } from '../../src/report/meaning.ts';
import { placesOf } from '../../src/report/places.ts';
import { recordOf } from '../../src/report/record.ts';
import { narration, recorded } from './small-race.ts';

test.each([
  ['gnttab[d1].entry[8].hdr', 'gnttab[*].entry[*].hdr'],
  ['d0.page[15].refcount', 'd*.page[*].refcount'],
  ['d0v1.cpu.upcall', 'd*v*.cpu.upcall'],
  ['d12v3.call[d0v1].busy', 'd*v*.call[*].busy'],
  ['xen.shootdown.flushMask', 'xen.shootdown.flushMask'],
  ['device[x]', 'device[*]'],
])('%s is generalised', (name, general) => {
  expect(generalised(name)).toBe(general);
});

test('neither the order of words nor that of functions counts', () => {
  const one = { invariant: 'I8', words: ['a[1]', 'b[2]'], functions: ['get', 'put'] };
  const other = { invariant: 'I8', words: ['b[7]', 'a[3]'], functions: ['put', 'get'] };
  expect(fingerprint(one)).toBe('I8: a[*], b[*] @ get | put');
  expect(fingerprint(other)).toBe(fingerprint(one));
  expect(fingerprint({ ...one, invariant: 'I9' })).not.toBe(fingerprint(one));
  expect(fingerprint({ ...one, functions: ['get', 'get'] })).not.toBe(fingerprint(one));
});

test('a record has the functions of its deciding pair', () => {
  expect(recorded().fingerprint).toBe('I8: d*.page[*].refcount @ getUserPages | unmapRefs');
  expect(recorded({ ...narration, complaint: null }).fingerprint).toBeNull();
});

test('two schedules that find one bug have one fingerprint', () => {
  const race = races.find(({ name }) => name === 'x1-unmap-accounting');
  if (race === undefined) throw new RangeError('X1');
  const options = { ...prepareRace(race, 'before'), memory: 'sc' } as const;
  const subject = { scenario: '', design: '', param: 0, memory: 'sc', strategy: '', replay: '' };
  const tool = { version: '', commit: null, runtime: '' };
  const found = [5, 77].map((seed) => {
    const { finding } = check({ ...options, strategy: 'pct', executions: 2000, seed });
    if (finding === undefined) throw new Error('not found');
    const context = { tool, subject: { ...subject, seed: finding.seed }, stats: null };
    return recordOf(options, finding, placesOf, { ...context, meaning: plainMeaning });
  });
  expect(found[0]?.seed).not.toBe(found[1]?.seed);
  expect(found[0]?.fingerprint).toBe(found[1]?.fingerprint);
});
