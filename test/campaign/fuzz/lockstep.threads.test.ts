/**
 * Goal: a fuzzed program does the same on real worker threads as in fibers, in every operation and
 * value, whatever its steps and its schedule.
 * Method: programs that together use every operation of the grammar, under random schedules of
 * both models; the logs of the threads are held against the traces of the fibers.
 */
import { describe, expect, test } from 'vitest';
import { operations } from '../../../src/corpus/fuzz/grammar.ts';
import { FUZZ_DESIGNS } from '../../../src/corpus/fuzz/posed.ts';
import { findScenario, castModuleOf } from '../../../src/cli/scenarios.ts';
import { check } from '../../../src/explore/check.ts';
import type { CheckOptions, Complaint } from '../../../src/explore/check.ts';
import type { Schedule } from '../../../src/explore/replay.ts';
import { replay } from '../../../src/explore/replay.ts';
import { LockstepCrew } from '../../../src/threads/lockstep.ts';

const programs: readonly string[] = [
  'pm00210_bg001kx_bu02_fe0h000',
  'pm00110_bs001l0w0_bp011z01_fd01t0',
  'bm20110n201r011_ba01g000_fy0f1_foc',
  'pm10220_bi1_bg110kg011k_fd10t1e2',
];

/** A schedule from chance, of an execution that ends in some way. */
function scheduleOf(options: CheckOptions, seed: number): Schedule {
  const ended = (): Complaint => ({ invariant: 'ended', message: '', words: [] });
  const final = (): Complaint | string => options.final?.() ?? ended();
  const { finding } = check({ ...options, final, strategy: 'random', executions: 1, seed });
  if (finding === undefined) throw new Error('the execution has no end');
  return finding;
}

describe('fuzzed programs in lockstep', () => {
  test('the programs use every operation', () => {
    const used = new Set(programs.join('').replaceAll(/[\d_]/g, ''));
    expect(operations.filter(({ letter }) => !used.has(letter)).map(({ name }) => name)).toEqual(
      [],
    );
  });

  test.each(programs.map((text, i) => [text, FUZZ_DESIGNS[i % 2] as string]))(
    '%s of %s',
    async (text, design) => {
      const scenario = findScenario(`fuzz/${text}`);
      const cast = { scenario: scenario.name, design, param: 0 };
      const options = scenario.prepare(cast);
      const { machine, actors } = options;
      const initial = machine.words.slice();
      const crew = new LockstepCrew(machine, castModuleOf(scenario), cast, actors.length);
      try {
        for (const [i, memory] of (['sc', 'tso', 'sc', 'tso', 'tso'] as const).entries()) {
          machine.words.set(initial);
          const fibers = replay({ ...options, memory }, scheduleOf({ ...options, memory }, i));
          const { log, problem } = await crew.run({ ...fibers, memory });
          expect(problem).toBe('');
          expect(fibers.trace.length).toBeGreaterThan(100);
          expect([...log]).toEqual(fibers.trace.flat());
        }
      } finally {
        await crew.close();
      }
    },
  );
});
