/**
 * Goal: a recorded schedule does the same on real worker threads as in fibers, in every operation
 * and value; a wrong schedule is refused with its reason.
 * Method: a program of random operations under random schedules, SC and TSO, with and without an
 * interrupt; the logs and the words at the end are compared.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { createMachine } from '../../src/shared/layout.ts';
import type { CastOptions } from '../../src/threads/cast.ts';
import { LockstepCrew } from '../../src/threads/lockstep.ts';
import { record } from './record.ts';
import { createCast } from './worlds/muddle-cast.ts';

const open: LockstepCrew[] = [];

function prepare(options: CastOptions) {
  const cast = createCast(options);
  const machine = createMachine(cast.tables, cast.config);
  const actors = cast.actors();
  const module = 'test/threads/worlds/muddle-cast';
  const crew = new LockstepCrew(machine, module, options, actors.length);
  open.push(crew);
  return { machine, actors, crew };
}

afterAll(async () => {
  await Promise.all(open.map((crew) => crew.close()));
});

describe('lockstep', () => {
  for (const memory of ['sc', 'tso'] as const) {
    for (const scenario of ['plain', 'interrupted']) {
      test(`agrees with fibers under ${memory}, ${scenario}`, async () => {
        const options = { scenario, design: '', param: 7 };
        const { machine, actors, crew } = prepare(options);
        const initial = machine.words.slice();
        for (let seed = 1; seed <= 15; seed++) {
          machine.words.set(initial);
          const fibers = record(actors, memory, seed, machine.words);
          const threads = await crew.run({ ...fibers, memory });
          expect(threads.problem).toBe('');
          expect(threads.steps).toBe(fibers.schedule.length);
          expect([...threads.log]).toEqual(fibers.log);
          expect([...machine.words]).toEqual([...fibers.words]);
        }
      });
    }
  }

  test('says where a schedule cannot be followed', async () => {
    const { machine, actors, crew } = prepare({ scenario: 'interrupted', design: '', param: 3 });
    const fibers = record(actors, 'sc', 1, machine.words);
    const irqFirst = Int32Array.of(3, ...fibers.schedule);
    const refused = await crew.run({ ...fibers, schedule: irqFirst, memory: 'sc' });
    expect(refused.problem).toBe('the schedule names an actor that cannot go on');
    expect(refused.steps).toBe(0);
    const again = Int32Array.of(...fibers.schedule, 0);
    const ended = await crew.run({ ...fibers, schedule: again, memory: 'sc' });
    expect(ended.problem).toContain('an actor that has ended');
    expect(ended.steps).toBe(fibers.schedule.length);
  });

  test('names the error of an actor that fails', async () => {
    const { crew } = prepare({ scenario: 'throws', design: '', param: 3 });
    const failed = await crew.run({ schedule: [0, 1, 2], choices: [], memory: 'sc' });
    expect(failed.problem).toContain('no part for me');
  });
});
