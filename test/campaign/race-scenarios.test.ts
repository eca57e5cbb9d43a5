/**
 * Goal: the seed's questions are decided by the general invariants alone. Method: PCT on the tiny
 * machine of each design finds what m2p-override breaks, from scratch; the finding is shrunk, and
 * its schedule breaks the same invariant every time. vma-pages stands the same search.
 */
import { describe, expect, test } from 'vitest';
import { raceScenarios } from '../../src/campaign/race-scenarios.ts';
import { check } from '../../src/explore/check.ts';
import type { CheckOptions, CheckResult } from '../../src/explore/check.ts';
import { replay } from '../../src/explore/replay.ts';
import { shrink } from '../../src/explore/shrink.ts';

function optionsOf(name: string, design: string): CheckOptions {
  const scenario = raceScenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new RangeError(`no race ${name}`);
  return scenario.prepare({ design, param: 0 });
}

function search(options: CheckOptions, executions: number): CheckResult {
  return check({ ...options, strategy: 'pct', memory: 'sc', depth: 3, seed: 1, executions });
}

describe('m2p-override', () => {
  test.each([
    ['race/one-frame-twice', 'I8'],
    ['race/unmap-in-use', 'I8'],
    ['race/split-and-gup', 'I9'],
  ])(
    '%s is broken within 10,000 executions, and shrinks to 3 preemptions at most',
    (name, rule) => {
      const options = optionsOf(name, 'm2p-override');
      const { finding, executions } = search(options, 10_000);
      expect(finding?.invariant).toBe(rule);
      expect(executions).toBeLessThan(10_000);
      if (finding === undefined) return;
      const shrunk = shrink({ options }, finding);
      expect(shrunk.preemptions).toBeLessThanOrEqual(3);
      for (let i = 0; i < 20; i++) {
        const again = replay(shrunk.program.options, shrunk.finding, true);
        expect(again.complaint?.invariant).toBe(rule);
      }
    },
  );

  test('revoking a grant and mapping it do not both succeed', () => {
    const { finding } = search(optionsOf('race/revoke-and-map', 'm2p-override'), 100);
    expect(finding).toBeUndefined();
  });
});

describe('vma-pages', () => {
  // What the DMA API makes of foreign pages: test/corpus/dma.test.ts.
  const asked = raceScenarios.filter(
    ({ name, designs }) => designs.includes('vma-pages') && !name.includes('dma'),
  );
  test.each(asked.map(({ name }) => name))('%s finds nothing', (name) => {
    const { finding } = search(optionsOf(name, 'vma-pages'), 150);
    expect(finding).toBeUndefined();
  });
});
