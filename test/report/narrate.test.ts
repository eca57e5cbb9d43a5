/**
 * Goal: a narration tells what the replay did: the same steps, each with the value before and
 * after, the function and line of the simulated kernel, and why another actor went on. Method: a
 * race of the past, narrated and replayed.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { prepareRace } from '../../src/campaign/race-scenarios.ts';
import { races } from '../../src/corpus/races.ts';
import { check } from '../../src/explore/check.ts';
import { replay } from '../../src/explore/replay.ts';
import { narrate } from '../../src/report/narrate.ts';
import { placesOf } from '../../src/report/places.ts';

function broken(memory: 'sc' | 'tso') {
  const race = races.find(({ name }) => name === 'x1-unmap-accounting');
  if (race === undefined) throw new RangeError('X1');
  const options = { ...prepareRace(race, 'before'), memory } as const;
  const { finding } = check({ ...options, strategy: 'pct', executions: 1000, seed: 5 });
  if (finding === undefined) throw new Error('not found');
  return { options, finding };
}

test.each(['sc', 'tso'] as const)('tells the steps of the replay: %s', (memory) => {
  const { options, finding } = broken(memory);
  const told = narrate(options, finding, placesOf);
  const { trace, complaint, preemptions } = replay(options, finding);
  expect(told.complaint).toEqual(complaint);
  expect(told.preemptions).toBe(preemptions);
  expect(told.steps).toHaveLength(trace.length);
  told.steps.forEach(({ actor, store, kind, word }, i) => {
    const step = trace.step(i);
    expect({ kind, word }).toEqual({ kind: step.kind, word: step.word });
    if (store < 0) expect(actor).toBe(step.process);
  });
  const preempted = told.switches.filter(({ reason }) => reason === 'preempted');
  expect(preempted).toHaveLength(preemptions);
});

test('a word has after a step what it has before the next one that touches it', () => {
  const { options, finding } = broken('sc');
  const last = new Map<number, number>();
  for (const { word, before, after } of narrate(options, finding, placesOf).steps) {
    if (word === 0) continue;
    if (last.has(word)) expect(before).toBe(last.get(word));
    last.set(word, after);
  }
});

test('every operation has its function and its line', () => {
  const { options, finding } = broken('sc');
  for (const { places } of narrate(options, finding, placesOf).steps) {
    const [place] = places;
    expect(place?.file).toMatch(/^src\/(shared|hardware|xen|linux|actors|corpus)\//);
    const text = readFileSync(new URL(`../../${place?.file}`, import.meta.url), 'utf8');
    const line = text.split('\n')[(place?.line ?? 0) - 1] ?? '';
    expect(line, `${place?.file}:${place?.line}`).toMatch(/yield\*|^\s/);
    expect(text).toContain(`function* ${place?.fn}`);
  }
});
