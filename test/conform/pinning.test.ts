/**
 * Goal: calls of which there is no recording, and which hold or look up the pages of a mapping:
 * vmsplice, splice, tee, asynchronous requests, futexes.
 * Method: pinning-by-files.json has inputs written by hand, and what manual pages and sources of
 * Linux say of them; it is played like a recording. The last case is one where kernels of different
 * times differ: munmap of a grant whose page a pipe holds.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Stand } from '../../src/conform/machine.ts';
import { bootStand } from '../../src/conform/machine.ts';
import { playCase } from '../../src/conform/play.ts';
import { readRecordings } from '../../src/conform/recording.ts';

const recordings = readRecordings(readFileSync('test/conform/pinning-by-files.json', 'utf8'));
const [heldAtMunmap, ...agreeing] = recordings.toReversed();

/** Where the case of munmap while a pipe holds the page ends. */
function differenceAtMunmap(stand: Stand): { field: string; seen: string } {
  if (heldAtMunmap === undefined) throw new Error('no case');
  const { difference } = playCase(stand, heldAtMunmap);
  expect(difference?.step).toBe(4);
  return { field: difference?.field ?? '', seen: String(difference?.seen) };
}

describe('the guest of today', () => {
  const stand = bootStand('find-normal-page');

  test.each(agreeing.toReversed().map((one) => [one.case, one.env.granter, one] as const))(
    '%s, granted by %s, is as Linux says',
    (_case, _granter, recording) => {
      expect(playCase(stand, recording)).toMatchObject({ verdict: 'agree', difference: null });
    },
  );

  // The grant is unmapped later (gnttab_unmap_refs_async()), so its entry is there for the zap.
  test('zaps the entry of a grant whose page is held, which has no rmap', () => {
    const { field, seen } = differenceAtMunmap(stand);
    expect(field).toBe('kernelLog');
    expect(seen).toMatch(/^warning 0x303 /);
  });
});

test('before dbe97cff7dd9 munmap waited for who holds the page', () => {
  const { field, seen } = differenceAtMunmap(bootStand('vma-pages'));
  expect(field).toBe('result');
  expect(seen).toMatch(/^waits for ever/);
});

test('the classic driver unmaps a grant whose page is held', () => {
  const { field, seen } = differenceAtMunmap(bootStand('vm-foreign'));
  expect(field).toMatch(/^dump/);
  expect(seen).toBe('none');
});
