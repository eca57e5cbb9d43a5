/**
 * Goal: what is played has a seed that shows the same anywhere, keeps all up to the step that was
 * changed, and changes nothing else without need. Method: races and programs, played here and
 * replayed as `gntrace replay` does, step by step.
 */
import { expect, test } from 'vitest';
import { programOf } from '../../../src/cli/seed-program.ts';
import { replay } from '../../../src/explore/replay.ts';
import { parseSeed } from '../../../src/explore/seed.ts';
import { placesOf } from '../../../src/report/places.ts';
import { CHOOSE } from '../../../src/shared/kinds.ts';
import { Play } from '../../../viewer/engine/play.ts';
import type { Played } from '../../../viewer/engine/protocol.ts';
import { RaceModel } from '../../../viewer/page/model.ts';
import { brokenSeed } from '../races.ts';

const tool = { version: 'test', code: null, commit: null, runtime: 'test' };

function play(): Play {
  return new Play(placesOf, tool);
}

/** Holds a played execution against the replay of its seed. */
function sameAnywhere({ seed, race }: Played): void {
  const parsed = parseSeed(seed);
  const { trace, complaint } = replay(programOf(parsed).options, parsed);
  expect(race.steps).toHaveLength(trace.length);
  race.steps.forEach(({ kind, object, result }, i) => {
    const step = trace.step(i);
    const told = { kind, word: race.objects[object]?.word ?? 0, value: result };
    expect(told).toEqual({ kind: step.kind, word: step.word, value: step.value });
  });
  expect(race.invariant).toBe(complaint?.invariant ?? null);
}

/** Steps at which somebody else could go. */
function forks(played: Played): { step: number; process: number }[] {
  const model = new RaceModel(played);
  return played.race.steps.flatMap((_, step) => {
    const others = model.enabledAt(step).filter((process) => process !== model.processAt(step));
    return others.map((process) => ({ step, process }));
  });
}

/** What happened up to a step. What matters of it depends on all of the execution. */
function upTo({ race }: Played, step: number): object[] {
  return race.steps.slice(0, step).map((told) => ({ ...told, matters: null }));
}

test.each([
  ['race/unmap-in-use', 'm2p-override', 'sc'],
  ['race/x2-double-put', 'before', 'sc'],
  ['program/peterson-unfenced', '', 'tso'],
  ['program/treiber-stack-wrong', '', 'sc'],
] as const)('another choice gives a seed that replays it: %s %s', (scenario, design, memory) => {
  const engine = play();
  const shown = engine.show(brokenSeed(scenario, design, memory));
  sameAnywhere(shown);
  const all = forks(shown);
  expect(all.length).toBeGreaterThan(0);
  const some = all.filter((_, i) => i % Math.ceil(all.length / 12) === 0);
  for (const { step, process } of some) {
    const other = engine.turn(shown.seed, step, process);
    sameAnywhere(other);
    expect(upTo(other, step)).toEqual(upTo(shown, step));
    expect(new RaceModel(other).processAt(step)).toBe(process);
  }
});

test('the same choice gives the same execution', () => {
  const engine = play();
  const seed = brokenSeed('race/unmap-in-use', 'm2p-override');
  const actor = parseSeed(seed).schedule[0] ?? 0;
  const same = engine.turn(seed, 0, actor);
  expect(parseSeed(same.seed).schedule).toEqual(parseSeed(engine.show(seed).seed).schedule);
});

test('a choice of data can fall out otherwise', () => {
  const engine = play();
  const seed = brokenSeed('race/x4-steal-handle', 'before');
  const shown = engine.show(seed);
  const { race } = shown;
  const step = race.steps.findIndex(({ kind }) => kind === CHOOSE);
  const { result = 0, operands = [] } = race.steps[step] ?? {};
  const value = (result + 1) % (operands[0] ?? 1);
  expect(value).not.toBe(result);
  const other = engine.choice(seed, step, value);
  expect(other.race.steps[step]?.result).toBe(value);
  expect(upTo(other, step)).toEqual(upTo(shown, step));
  sameAnywhere(other);
});

test('what comes of a choice is told before it is made', () => {
  const engine = play();
  const shown = engine.show(brokenSeed('race/unmap-in-use', 'm2p-override'));
  const step = forks(shown)[0]?.step ?? 0;
  const processes = forks(shown).flatMap((fork) => (fork.step === step ? fork.process : []));
  for (const { process, invariant, steps } of engine.futures(shown.seed, step, processes)) {
    const { race } = engine.turn(shown.seed, step, process);
    expect({ invariant, steps }).toEqual({
      invariant: race.invariant,
      steps: race.steps.length,
    });
  }
});

test('odds are drawn, the same each time, and certain where nothing is left to decide', () => {
  const engine = play();
  const shown = engine.show(brokenSeed('race/unmap-in-use', 'm2p-override'));
  const end = shown.race.steps.length;
  const odds = engine.odds(shown.seed, [0, end], 20);
  expect(engine.odds(shown.seed, [0, end], 20)).toEqual(odds);
  for (const share of odds) expect(share).toBeGreaterThanOrEqual(0);
  expect(odds[1]).toBe(1);
});
