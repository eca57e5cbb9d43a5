/**
 * Goal: the store gives back what was decided for the same code, whatever a kill left of the last
 * line. Method: a folder of its own; files cut at every length.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Cell } from '../../../src/campaign/matrix/cell.ts';
import { codeVersion } from '../../../src/campaign/code-version.ts';
import { MatrixStore } from '../../../src/campaign/matrix/store.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'gntrace-'));
const cellOf = (race: string): Cell => ({
  race,
  design: 'after',
  memory: 'sc',
  verdict: 'safe',
  exhausted: true,
  executions: 7,
  strategy: 'optimal',
  seconds: 0.5,
});

test('the version of the code is the same when asked twice', () => {
  expect(codeVersion()).toMatch(/^[0-9a-f]{16}$/);
  expect(codeVersion()).toBe(codeVersion());
});

test('another version knows nothing', () => {
  const dir = folder();
  new MatrixStore(dir, 'one').put(cellOf('a'));
  expect(new MatrixStore(dir, 'one').get(cellOf('a'))).toEqual(cellOf('a'));
  expect(new MatrixStore(dir, 'two').get(cellOf('a'))).toBeUndefined();
});

test('a file that was cut anywhere loses at most its last cell, and goes on', () => {
  const dir = folder();
  const store = new MatrixStore(dir, 'cut');
  store.put(cellOf('a'));
  store.put(cellOf('b'));
  const whole = readFileSync(store.path, 'utf8');
  const second = whole.lastIndexOf('\n');
  for (let length = second; length <= whole.length; length++) {
    writeFileSync(store.path, whole.slice(0, length));
    const again = new MatrixStore(dir, 'cut');
    expect(again.get(cellOf('a'))).toEqual(cellOf('a'));
    const b = again.get(cellOf('b'));
    expect(b).toEqual(length === whole.length ? cellOf('b') : undefined);
    again.put(cellOf('c'));
    expect(new MatrixStore(dir, 'cut').get(cellOf('c'))).toEqual(cellOf('c'));
  }
});
