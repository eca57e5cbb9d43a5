/**
 * Goal: the recordings tell a wrong model from the right one.
 * Method: models that are wrong in one function each play cases that should notice and cases that
 * cannot; which differ is compared case by case.
 */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { bootStand } from '../../src/conform/machine.ts';
import { playCase } from '../../src/conform/play.ts';
import { readRecordings } from '../../src/conform/recording.ts';
import { wrongModels } from '../../src/corpus/wrong-models.ts';
import { install } from '../../src/shared/override.ts';

const recordings = readRecordings(
  readFileSync('test/golden/xen-4.17-linux-6.1.json', 'utf8'),
).filter(({ env }) => env.granter === 'loopback');

const CASES = [
  'map_one',
  'bad_domid',
  'rw_grant_ro_map',
  'dup_two_maps',
  'munmap_first',
  'munmap_middle',
  'munmap_last',
  'mprotect_mid',
  'hv_batch',
];

const stand = bootStand('find-normal-page');

/** The cases that differ under a model. */
function differing(): string[] {
  return recordings
    .filter((recording) => CASES.includes(recording.case))
    .filter((recording) => playCase(stand, recording).verdict === 'differ')
    .map((recording) => recording.case);
}

describe('models that are wrong on purpose', () => {
  afterAll(() => install([]));

  test.each([
    ['no split of the array', ['munmap_middle', 'munmap_last', 'mprotect_mid']],
    [
      'pins not doubled by the kernel mapping',
      [
        'map_one',
        'rw_grant_ro_map',
        'dup_two_maps',
        'munmap_first',
        'munmap_middle',
        'munmap_last',
        'mprotect_mid',
      ],
    ],
    [
      'UNMAP_GRANT_REF unmaps at once',
      ['munmap_first', 'munmap_middle', 'munmap_last', 'mprotect_mid'],
    ],
  ])('%s: differ in %j', (model, expected) => {
    install(wrongModels[model] ?? []);
    expect(differing()).toEqual(expected);
  });

  test('the right one differs in none', () => {
    install([]);
    expect(differing()).toEqual([]);
  });
});
