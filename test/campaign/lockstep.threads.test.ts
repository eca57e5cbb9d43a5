/**
 * Goal: schedules of every strategy do the same in fibers and on threads, under SC and TSO, and a
 * difference is named; the full campaign is `npm run test:lockstep -- --seeds 10000`.
 * Method: a few pairings; one whose threads run another version of the program.
 */
import { expect, test } from 'vitest';
import { compareInLockstep } from '../../src/campaign/lockstep.ts';
import { castModuleOf, findScenario } from '../../src/cli/scenarios.ts';

function pairing(name: string, design = '') {
  const scenario = findScenario(name);
  return { scenario, design, module: castModuleOf(scenario) };
}

test('programs and a race agree in every operation and value', async () => {
  const pairings = [
    pairing('program/lost-update'),
    pairing('program/mpmc-ring'),
    pairing('race/unmap-in-use', 'm2p-override'),
  ];
  const { schedules, steps, differences } = await compareInLockstep(pairings, 24, () => true);
  expect(differences).toEqual([]);
  expect(schedules).toBe(24);
  expect(steps).toBeGreaterThan(24 * 10);
});

test('another program on the threads is a difference', async () => {
  const scenario = { ...findScenario('program/lost-update'), name: 'program/inc' };
  const wrong = { scenario, design: '', module: castModuleOf(scenario) };
  const { differences } = await compareInLockstep([wrong], 1, () => true);
  expect(differences).toHaveLength(1);
  expect(differences[0]).toMatch(/^program\/inc, tso, random, seed 1: /);
});

test('ends when it is told to', async () => {
  const { schedules } = await compareInLockstep([pairing('program/inc')], 10, () => false);
  expect(schedules).toBe(0);
});
