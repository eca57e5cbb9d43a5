/** The text of one step: `X d0.page[15].refcount 1⇒2`, in as many lines as it needs. */
import {
  ACQUIRE_WHEN,
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  CHOOSE,
  CMPXCHG,
  LOST,
} from '../shared/kinds.ts';
import { wrapped } from './lines.ts';
import type { Marks } from './lines.ts';
import type { RaceObject, RaceRecord, RaceStep, RaceSwitch } from './race.ts';
import { numberText, placesOfStack, valueText } from './race.ts';

/** By kind: reads, writes, atomic operations, barriers, waits, cpu_relax, choices of data. */
const LETTERS = ' RWRWRWXXXXXBBBAAXRWPC';

/** What the signs mean. */
export function legend({ left }: Marks): string {
  return (
    'R read, W write, X atomic, A wait, F flush of a buffered store, B barrier, ~~ switch, ' +
    `!! the race, * what the kernel's tracepoints tell, ${left} steps left out`
  );
}

/** One letter for what a step is. */
export function letterOf({ kind, store }: RaceStep): string {
  return store === undefined ? (LETTERS[kind] ?? '?') : 'F';
}

/** What a step did with its word: ` 1⇒2`, ` → 0`; a failed or lost access says so. */
export function effectText(object: RaceObject, step: RaceStep, marks: Marks): string {
  const { effect, before, after, result, kind, operands = [] } = step;
  const said = (value: number): string => valueText(object, value);
  if (result === LOST) return `${marks.is} lost: the translation has changed`;
  if (effect === 'buffers') return `${marks.is} store buffer`;
  if (effect === 'own') return `${marks.is} ${said(result)} (own buffered store)`;
  if (effect === 'writes') return `${said(before)}${marks.becomes}${said(after)}`;
  if (kind === CMPXCHG) return `${marks.is} ${said(result)}, failed: not ${said(operands[0] ?? 0)}`;
  return `${marks.is} ${said(result)}`;
}

/** The name of a word, and what happened to it. */
export function partsOf(race: RaceRecord, step: RaceStep, marks: Marks): [string, string] {
  const object = race.objects[step.object];
  const letter = letterOf(step);
  if (object === undefined) {
    const chosen = step.kind === CHOOSE ? ` ${marks.is} ${step.result}` : '';
    return [`${letter} ${race.kinds[step.kind] ?? ''}`, chosen.trim()];
  }
  return [`${letter} ${object.name}`, effectText(object, step, marks)];
}

/** All of it in one line. */
export function stepText(race: RaceRecord, step: RaceStep, marks: Marks): string {
  return partsOf(race, step, marks).join(' ').trimEnd();
}

/** The same in lines of at most `width`: the value goes below the name where both are too long. */
export function stepLines(
  race: RaceRecord,
  step: RaceStep,
  marks: Marks,
  width: number,
  mark: string,
): string[] {
  const [name, value] = partsOf(race, step, marks);
  const one = `${name} ${value}`.trimEnd() + mark;
  if (one.length <= width) return [one];
  const values = wrapped(value.replace(marks.becomes, ` ${marks.becomes} `) + mark, width - 3);
  const below = values.map((text) => `   ${text}`);
  return [...wrapped(name, width), ...below].filter((text) => text.trim() !== '');
}

/** `tryAddPage page.ts:85`, in parts. */
export function placeParts(race: RaceRecord, stack: number): [string, string] | null {
  const [place] = placesOfStack(race, stack);
  if (place === undefined) return null;
  return [place.fn, `${place.file.slice(place.file.lastIndexOf('/') + 1)}:${place.line}`];
}

/** `tryAddPage src/linux/mm/page.ts:85`, or nothing. */
export function placeText(race: RaceRecord, stack: number): string {
  const [place] = placesOfStack(race, stack);
  return place === undefined ? '' : `${place.fn} ${place.file}:${place.line}`;
}

/** Why the other actor goes on: `waits for mm[0].mmapLock`. */
export function reasonText(race: RaceRecord, { reason, object }: RaceSwitch): string {
  const word = object === undefined ? undefined : race.objects[object];
  return word === undefined ? reason : `${reason} for ${word.name}`;
}

/** What an actor waits for: `mm[0].mmapLock to be free`. */
export function waitText(object: RaceObject, kind: number, operands: readonly number[]): string {
  const [mask = 0, wanted = 0] = operands;
  if (object.lock !== null) return object.name;
  const masked = mask === -1 ? '' : ` & ${numberText(mask)}`;
  const value = mask === -1 ? valueText(object, wanted) : numberText(wanted);
  const sign: Readonly<Record<number, string>> = {
    [AWAIT_EQUAL]: '=',
    [ACQUIRE_WHEN]: '=',
    [AWAIT_NOT_EQUAL]: '!=',
  };
  return `${object.name}${masked} ${sign[kind] ?? '='} ${value}`;
}
