/**
 * Goal: the questions that decide between designs end: each is exhausted, or shows what breaks.
 * Method: optimal exploration of the small ones; what breaks is found within some executions, and
 * named by a general invariant or by the kernel's own assertion.
 */
import { describe, expect, test } from 'vitest';
import { raceScenarios } from '../../src/campaign/race-scenarios.ts';
import { check } from '../../src/explore/check.ts';
import type { CheckResult } from '../../src/explore/check.ts';

function explore(name: string, design: string, executions: number): CheckResult {
  const scenario = raceScenarios.find((candidate) => candidate.name === `race/${name}`);
  if (scenario === undefined) throw new RangeError(`no race ${name}`);
  const options = scenario.prepare({ design, param: 0 });
  return check({ ...options, strategy: 'optimal', memory: 'sc', executions });
}

describe('a question that a design stands is exhausted', () => {
  test.each([
    ['unmap-and-gup-fast', 'vma-pages'],
    ['unmap-and-gup-fast', 'find-normal-page'],
    ['partial-munmap', 'vma-pages'],
    ['partial-munmap', 'find-normal-page'],
    ['dontneed-and-gup', 'vma-pages'],
    ['unmap-and-gup-fast', 'vm-foreign'],
    ['vmsplice-and-unmap', 'vma-pages'],
  ])('%s with %s', (name, design) => {
    expect(explore(name, design, 5000)).toMatchObject({ verdict: 'safe', exhausted: true });
  });
});

describe('a question that a design does not stand shows it', () => {
  test.each([
    ['unmap-and-gup-fast', 'm2p-override', 'I8'],
    ['partial-munmap', 'm2p-override', 'I9'],
    ['partial-munmap', 'find-special-page', 'I9'],
    ['dontneed-and-gup', 'm2p-override', 'I8'],
    ['dontneed-and-gup', 'find-special-page', 'kernel'],
    ['dontneed-and-gup', 'find-normal-page', 'I9'],
    ['unmap-in-use', 'find-normal-page', 'I9'],
    ['unmap-in-use', 'vm-foreign', 'I8'],
    ['partial-munmap', 'vm-foreign', 'kernel'],
    ['dontneed-and-gup', 'vm-foreign', 'I8'],
    ['vmsplice-and-unmap', 'm2p-override', 'I8'],
    ['vmsplice-and-unmap', 'find-normal-page', 'I9'],
  ])('%s with %s', (name, design, rule) => {
    expect(explore(name, design, 200).finding?.invariant).toBe(rule);
  });
});
