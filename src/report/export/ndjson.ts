/**
 * A race as lines of JSON, one an operation, for jq and data frames: `operations/v1`
 * (docs/report-format.md). Each line says its version and its kind first. Within version 1, fields
 * are only added.
 */
import type { RaceRecord, RaceStep } from '../race.ts';
import { placesOfStack } from '../race.ts';

export const OPERATIONS_SCHEMA = 'operations/v1';

/** The lines, each with its end. */
export function operationLines(race: RaceRecord): string {
  const turns = new Map(race.switches.map((turn) => [turn.before, turn]));
  const lines: object[] = [startLine(race)];
  race.steps.forEach((step, i) => {
    const turn = turns.get(i);
    if (turn !== undefined) {
      const { from, to, reason, object } = turn;
      lines.push({
        v: 1,
        t: 'switch',
        before: i + 1,
        from: nameOf(race, from),
        to: nameOf(race, to),
        reason,
        ...(object !== undefined && { word: race.objects[object]?.name }),
      });
    }
    lines.push(operationLine(race, step, i));
  });
  lines.push(endLine(race));
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function startLine(race: RaceRecord): object {
  const { scenario, design, param, memory, strategy, seed, replay, actors, tool, abi } = race;
  return {
    v: 1,
    t: 'start',
    schema: OPERATIONS_SCHEMA,
    scenario,
    design,
    param,
    memory,
    strategy,
    seed,
    replay,
    actors: actors.map(({ name }) => name),
    abi,
    tool,
  };
}

function operationLine(race: RaceRecord, step: RaceStep, i: number): object {
  const { actor, kind, effect, object, before, after, result, store, notes, matters } = step;
  const word = race.objects[object];
  const place = placesOfStack(race, step.stack)[0];
  return {
    v: 1,
    t: 'op',
    i: i + 1,
    actor: nameOf(race, actor),
    kind: store === undefined ? race.kinds[kind] : 'flush',
    effect,
    ...(word !== undefined && {
      word: word.name,
      before,
      after,
      ...(word.values[after] !== undefined && { meaning: word.values[after] }),
    }),
    result,
    ...(store !== undefined && { store: store + 1 }),
    ...(place !== undefined && { fn: place.fn, file: place.file, line: place.line }),
    matters,
    ...(notes !== undefined && { notes }),
  };
}

function endLine({ verdict, invariant, message, words, fingerprint, conflict, steps }: RaceRecord) {
  return {
    v: 1,
    t: 'end',
    verdict,
    invariant,
    message,
    words,
    fingerprint,
    conflict: conflict?.map((i) => i + 1) ?? null,
    steps: steps.length,
  };
}

function nameOf({ actors }: RaceRecord, actor: number): string {
  return actors[actor]?.name ?? '';
}
