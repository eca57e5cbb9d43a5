/**
 * Goal: a plan says exactly which cells there are, and what is wrong with it is said in one line.
 * Method: plans, right and wrong, over the real scenarios.
 */
import { describe, expect, test } from 'vitest';
import { expand, planHash } from '../../../src/campaign/plan/expand.ts';
import { matches } from '../../../src/campaign/plan/glob.ts';
import { PlanError, checkPlan, parsePlan } from '../../../src/campaign/plan/plan-file.ts';
import { scenarios } from '../../../src/cli/scenarios.ts';

function cellsOf(entry: object, timed = false): string[] {
  const plan = checkPlan({ cells: [entry] }, 'plan');
  return expand(plan, scenarios, timed).map(
    ({ scenario, design, memory, strategy, executions }) =>
      `${scenario} ${design} ${memory} ${strategy} ${executions}`,
  );
}

describe('a plan', () => {
  test('multiplies what it names', () => {
    expect(
      cellsOf({
        scenarios: ['race/unmap-in-use'],
        designs: ['vma-*', 'm2p-override'],
        memory: ['all'],
        strategies: ['optimal', 'pct'],
        executions: 7,
      }),
    ).toEqual(
      ['m2p-override', 'vma-pages'].flatMap((design) =>
        ['sc', 'tso'].flatMap((memory) =>
          ['pct', 'optimal'].map((how) => `race/unmap-in-use ${design} ${memory} ${how} 7`),
        ),
      ),
    );
  });

  test('has a usual bound where nothing else ends it', () => {
    const asked = { scenarios: ['program/lastzero'], strategies: ['pct', 'optimal'] };
    const name = 'program/lastzero  sc';
    expect(cellsOf(asked)).toEqual([`${name} pct 10000`, `${name} optimal null`]);
    expect(cellsOf(asked, true)).toEqual([`${name} pct null`, `${name} optimal null`]);
  });

  test('draws programs only if it names fuzz, and never exhausts them', () => {
    const all = cellsOf({ scenarios: ['all'] });
    expect(all.some((cell) => cell.startsWith('fuzz'))).toBe(false);
    expect(all.length).toBeGreaterThan(scenarios.length);
    const drawn = cellsOf({ scenarios: ['fuzz'], designs: ['vma-pages'], strategies: ['all'] });
    expect(drawn).toEqual(
      ['random', 'pct', 'pos', 'surw'].map((how) => `fuzz vma-pages sc ${how} 10000`),
    );
  });

  test('asks each cell once, and is known by a hash', () => {
    const entry = { scenarios: ['program/lastzero'] };
    const plan = checkPlan({ cells: [entry, entry, { ...entry, seed: 2 }] }, 'plan');
    const cells = expand(plan, scenarios, false);
    expect(cells).toHaveLength(2);
    expect(planHash(cells)).toMatch(/^[0-9a-f]{16}$/);
    expect(planHash(cells)).not.toBe(planHash(cells.slice(1)));
  });

  const wrong: readonly [string, string][] = [
    ['{', 'plan is no JSON'],
    ['[]', 'plan: '],
    ['{"cells":[]}', 'cells'],
    ['{"cells":[{"scenarios":["a"],"executions":0}]}', 'cells.0.executions'],
    ['{"cells":[{"scenarios":["a"],"depht":1}]}', 'depht'],
    ['{"cells":[{"scenarios":["a"],"memory":["arm"]}]}', 'cells.0.memory'],
    ['{"name":"a/b","cells":[{"scenarios":["a"]}]}', 'name'],
  ];
  test.each(wrong)('that is %s is refused', (text, why) => {
    expect(() => parsePlan(text, 'plan')).toThrow(PlanError);
    expect(() => parsePlan(text, 'plan')).toThrow(why);
  });

  test('that names what is not there is refused', () => {
    expect(() => cellsOf({ scenarios: ['race/no-*'] })).toThrow(
      'no scenario is called "race/no-*"',
    );
    expect(() => cellsOf({ scenarios: ['race/unmap-in-use'], designs: ['x'] })).toThrow(PlanError);
    expect(() => cellsOf({ scenarios: ['program/lastzero'], param: 0 })).toThrow('at least');
  });
});

describe('a glob', () => {
  test('stands for letters, and for nothing else', () => {
    expect(matches('race/x1-a', ['race/*'])).toBe(true);
    expect(matches('race/x1-a', ['race/x?-a', 'b'])).toBe(true);
    expect(matches('race/x1-a', ['race'])).toBe(false);
    expect(matches('aXb', ['a.b'])).toBe(false);
    expect(matches('anything', ['all'])).toBe(true);
  });
});
