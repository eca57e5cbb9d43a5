/**
 * Goal: a fault on the command line means one thing or is refused.
 * Method: right and wrong spellings.
 */
import { describe, expect, test } from 'vitest';
import { parseFault } from '../../src/threads/fault.ts';

describe('faults', () => {
  test.each([
    ['kill-vcpu@2s', { role: 'vcpu', number: 0, atMs: 2000 }],
    ['kill-domain:1@500ms', { role: 'domain', number: 1, atMs: 500 }],
    ['kill-device@1.5s', { role: 'device', number: 0, atMs: 1500 }],
  ])('%s is read', (text, fault) => {
    expect(parseFault(text)).toEqual(fault);
  });

  test.each(['', 'kill-vcpu', 'kill-vcpu@2', 'kill-cpu@2s', 'kill-vcpu@-1s', 'kill-vcpu:x@1s'])(
    '"%s" is refused',
    (text) => {
      expect(parseFault(text)).toBeUndefined();
    },
  );
});
