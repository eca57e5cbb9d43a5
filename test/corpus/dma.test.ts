/**
 * Goal: what the DMA API of each kernel makes of foreign pages is decided by the general invariants
 * alone, and every schedule is covered where nothing breaks. Method: DPOR over each question,
 * kernel and design; which page an unmap found (right, wrong, none) is read from its tracepoint.
 */
import { describe, expect, test } from 'vitest';
import { prepareRace, raceScenarios } from '../../src/campaign/race-scenarios.ts';
import { races } from '../../src/corpus/races.ts';
import { check } from '../../src/explore/check.ts';
import type { CheckOptions, CheckResult } from '../../src/explore/check.ts';
import { replay } from '../../src/explore/replay.ts';
import { EVERY_DESIGN } from '../../src/linux/designs/design.ts';
import { TRACE_DMA_MAP, TRACE_DMA_UNMAP } from '../../src/linux/tracepoints.ts';

const arms = EVERY_DESIGN.filter((design) => design !== 'm2p-override');
const byAddress = arms.filter((design) => design !== 'dma-handles');
const kernels = ['', '-mach-to-phys', '-identity', '-cache-flush', '-bounce'];

function optionsOf(name: string, design: string): CheckOptions {
  const scenario = raceScenarios.find((candidate) => candidate.name === `race/${name}`);
  if (scenario === undefined) throw new RangeError(`no race ${name}`);
  return scenario.prepare({ design, param: 0 });
}

function decide(name: string, design: string, executions = 4000): CheckResult {
  return check({ ...optionsOf(name, design), strategy: 'dpor', memory: 'sc', executions });
}

/** What the unmaps of one execution after the other find, as a set. */
function found(name: string, design: string, executions: number): Set<string> {
  const race = races.find((candidate) => candidate.name === name);
  if (race === undefined) throw new RangeError(`no race ${name}`);
  const options = prepareRace(race, design);
  const outcomes = new Set<string>();
  const mapped = new Map<number, number>();
  const inner = options.observer;
  if (inner === undefined) throw new RangeError('a race is watched');
  const observer: typeof inner = {
    access: (actor, kind, word, before, after) => inner.access(actor, kind, word, before, after),
    bug: (actor, id, a, b) => inner.bug(actor, id, a, b),
    trace(actor, point, a, b, c) {
      if (point === TRACE_DMA_MAP) mapped.set(actor, b);
      if (point === TRACE_DMA_UNMAP) {
        outcomes.add(b < 0 ? 'none' : b === mapped.get(actor) ? 'right' : 'wrong');
      }
      inner.trace(actor, point, a, b, c);
    },
  };
  const { invariant: _invariant, final: _final, ...rest } = options;
  check({ ...rest, observer, strategy: 'random', memory: 'sc', seed: 1, executions });
  return outcomes;
}

describe('one frame under two pages: which page does a DMA unmap find', () => {
  test('m2p-override finds the right one for one of the two alone', () => {
    expect(found('dma-unmap-foreign', 'm2p-override', 50)).toEqual(new Set(['right', 'wrong']));
    expect(decide('dma-unmap-foreign', 'm2p-override').finding?.invariant).toBe('I8');
  });

  test.each(byAddress)('%s finds none, which does no harm on coherent x86', (design) => {
    expect(found('dma-unmap-foreign', design, 20)).toEqual(new Set(['none']));
    expect(decide('dma-unmap-foreign', design)).toMatchObject({ verdict: 'safe', exhausted: true });
  });

  test('dma-handles finds the right one', () => {
    expect(found('dma-unmap-foreign', 'dma-handles', 20)).toEqual(new Set(['right']));
    const result = decide('dma-unmap-foreign', 'dma-handles');
    expect(result).toMatchObject({ verdict: 'safe', exhausted: true });
  });

  test.each(byAddress)('ARM’s tree by frame refuses the second page under %s', (design) => {
    const { finding } = decide('dma-unmap-foreign-mach-to-phys', design);
    expect(finding?.invariant).toBe('I12');
  });

  test.each(['-mach-to-phys', '-mm32', '-identity', '-cache-flush', '-bounce'])(
    'with handles no kernel of ARM asks for the frame (%s)',
    (kernel) => {
      const name = `dma-unmap-foreign${kernel}`;
      expect(found(name, 'dma-handles', 20)).toEqual(new Set(['right']));
      expect(decide(name, 'dma-handles')).toMatchObject({ verdict: 'safe', exhausted: true });
    },
  );
});

describe('non-coherent DMA: is stale data read', () => {
  test.each(byAddress)('%s reads what the cache kept, if the unmap does nothing', (design) => {
    const options = optionsOf('non-coherent-dma', design);
    const { finding } = check({ ...options, strategy: 'dpor', memory: 'sc', executions: 4000 });
    expect(finding?.invariant).toBe('I16');
    expect(finding?.message).toContain('(none)');
    if (finding === undefined) return;
    const again = replay(options, finding, true);
    expect(again.complaint?.invariant).toBe('I16');
  });

  test.each(kernels.slice(1).flatMap((kernel) => byAddress.map((design) => [kernel, design])))(
    'a kernel that maintains the cache reads what was delivered (%s, %s)',
    (kernel, design) => {
      const result = decide(`non-coherent-dma${kernel}`, design as string);
      expect(result).toMatchObject({ verdict: 'safe', exhausted: true });
    },
  );

  test.each(kernels)('with handles every kernel reads what was delivered (%s)', (kernel) => {
    const result = decide(`non-coherent-dma${kernel}`, 'dma-handles');
    expect(result).toMatchObject({ verdict: 'safe', exhausted: true });
  });
});
