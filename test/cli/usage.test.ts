/**
 * Goal: words of the command line are read exactly or refused with the nearest right one.
 * Method: right and wrong words.
 */
import { describe, expect, test } from 'vitest';
import {
  UsageError,
  nearest,
  oneOf,
  positiveNumber,
  seedNumber,
  seedText,
  wholeNumber,
} from '../../src/cli/usage.ts';

describe('words', () => {
  test('the nearest name is offered only if it is near', () => {
    const names = ['m2p-override', 'vma-pages'];
    expect(nearest('vma-page', names)).toBe('vma-pages');
    expect(nearest('m2poverride', names)).toBe('m2p-override');
    expect(nearest('zzz', names)).toBeUndefined();
    expect(oneOf('vma-pages', names, 'design')).toBe('vma-pages');
    expect(() => oneOf('zzz', names, 'design')).toThrow('one of m2p-override, vma-pages');
  });

  test('seeds have 64 bits, decimal or hexadecimal, and print as they are read', () => {
    expect(seedNumber('1234')).toBe(1234n);
    expect(seedNumber('0xFFFFFFFFFFFFFFFF')).toBe(2n ** 64n - 1n);
    expect(seedNumber(seedText(77n))).toBe(77n);
    for (const bad of ['', '-1', '1.5', '0x', 'x', '18446744073709551616']) {
      expect(() => seedNumber(bad)).toThrow(UsageError);
    }
  });

  test('numbers are whole or positive as asked', () => {
    expect(wholeNumber('12', '--vcpus', 1)).toBe(12);
    expect(positiveNumber('0.5', '--seconds', 10)).toBe(0.5);
    expect(positiveNumber('.5', '--seconds', 10)).toBe(0.5);
    for (const bad of ['0', '-1', '1e3', '', 'many', '1.5']) {
      expect(() => wholeNumber(bad, '--vcpus', 1)).toThrow('--vcpus');
    }
    for (const bad of ['0', '-1', '11', '', '.', 'Infinity']) {
      expect(() => positiveNumber(bad, '--seconds', 10)).toThrow('--seconds');
    }
  });
});
