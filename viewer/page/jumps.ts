/** Where one can jump from a step. -1: nowhere. */
import type { RaceModel } from './model.ts';

type Test = (i: number) => boolean;

function search({ length }: RaceModel, from: number, by: 1 | -1, test: Test): number {
  for (let i = from + by; i >= 0 && i < length; i += by) if (test(i)) return i;
  return -1;
}

/** The next or last access that conflicts with one of another actor. */
export function toConflict(model: RaceModel, from: number, by: 1 | -1): number {
  const { edges } = model.race;
  const conflicts = (numbers: Int32Array): boolean =>
    numbers.some((edge) => ['rf', 'ww', 'rw'].includes(edges[edge]?.[2] ?? ''));
  return search(model, from, by, (i) => {
    if (model.isConflict(i)) return true;
    return model.step(i).matters && (conflicts(model.edgesTo(i)) || conflicts(model.edgesFrom(i)));
  });
}

/** The next or last step behind a switch. */
export function toSwitch(model: RaceModel, from: number, by: 1 | -1): number {
  return search(model, from, by, (i) => model.turns.has(i));
}

/** The next or last step that changes the word of a step: "who wrote this?" */
export function toWrite(model: RaceModel, from: number, by: 1 | -1): number {
  const { object } = model.step(from);
  if (object < 0) return -1;
  return search(model, from, by, (i) => model.step(i).object === object && model.changes(i));
}

/** From one of the two accesses that decide to the other; from elsewhere to the first. */
export function toRace({ race }: RaceModel, from: number): number {
  const [first, then] = race.conflict ?? [-1, -1];
  return from === first ? then : first;
}
