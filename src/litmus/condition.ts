/**
 * Final conditions: `exists (0:EAX=0 /\ not (x=1 \/ 1:r0=y))`. Read, decided on a final state, and
 * printed as herd prints them.
 */
import type { Cursor } from './lexer.ts';
import type { FinalState, Place } from './litmus-test.ts';
import { ADDRESS_BASE, placeName, valueName } from './litmus-test.ts';

export type Proposition =
  | { readonly is: 'constant'; readonly value: boolean }
  | { readonly is: 'equal'; readonly place: Place; readonly value: number }
  | { readonly is: 'same'; readonly place: Place; readonly other: Place }
  | { readonly is: 'not'; readonly of: Proposition }
  | { readonly is: 'and' | 'or' | 'implies'; readonly parts: readonly Proposition[] };

/** What a condition is read against: the names of locations, and how registers are spelled. */
export interface Names {
  readonly locations: readonly string[];
  register(name: string): string;
}

/** Reads a proposition; weakest binding first: =>, \/, /\, not. */
export function readProposition(cursor: Cursor, names: Names): Proposition {
  const left = readChain(cursor, names, '\\/', 'or');
  if (!cursor.take('=>')) return left;
  return { is: 'implies', parts: [left, readProposition(cursor, names)] };
}

function readChain(
  cursor: Cursor,
  names: Names,
  sign: '\\/' | '/\\',
  is: 'or' | 'and',
): Proposition {
  const part = (): Proposition =>
    is === 'or' ? readChain(cursor, names, '/\\', 'and') : readFactor(cursor, names);
  const parts = [part()];
  const also = is === 'or' ? '||' : '&&';
  while (cursor.take(sign) || cursor.take(also)) parts.push(part());
  return parts.length === 1 ? (parts[0] as Proposition) : { is, parts };
}

function readFactor(cursor: Cursor, names: Names): Proposition {
  if (cursor.take('not') || cursor.take('~')) return { is: 'not', of: readFactor(cursor, names) };
  if (cursor.take('true')) return { is: 'constant', value: true };
  if (cursor.take('false')) return { is: 'constant', value: false };
  if (cursor.take('(')) {
    const inner = readProposition(cursor, names);
    cursor.expect(')');
    return inner;
  }
  const place = readPlace(cursor, names);
  const negated = cursor.take('!=') || cursor.take('<>');
  if (!negated && !cursor.take('==')) cursor.expect('=');
  const equal = readRightSide(cursor, names, place);
  return negated ? { is: 'not', of: equal } : equal;
}

function readRightSide(cursor: Cursor, names: Names, place: Place): Proposition {
  if (cursor.kind(1) !== 'sign' || cursor.peek(1) !== ':') {
    cursor.take('&');
    if (cursor.kind() === 'name') {
      const name = cursor.next();
      const index = names.locations.indexOf(name);
      if (index < 0) throw cursor.error(`the condition compares with "${name}", which is nowhere`);
      return { is: 'equal', place, value: ADDRESS_BASE + index };
    }
    if (cursor.peek() !== '[') return { is: 'equal', place, value: cursor.number() };
  }
  return { is: 'same', place, other: readPlace(cursor, names) };
}

/** Reads `0:EAX`, `x`, `[x]` or `*x`. */
export function readPlace(cursor: Cursor, names: Names): Place {
  if (cursor.kind() === 'number') {
    const thread = cursor.number();
    cursor.expect(':');
    cursor.take('%');
    return { of: 'register', thread, name: names.register(cursor.name('a register')) };
  }
  const bracketed = cursor.take('[');
  cursor.take('*');
  const name = cursor.name('a register or location');
  if (bracketed) cursor.expect(']');
  return { of: 'location', name };
}

/** Does the proposition hold in this state? */
export function holds(proposition: Proposition, state: FinalState): boolean {
  switch (proposition.is) {
    case 'constant':
      return proposition.value;
    case 'equal':
      return state.valueOf(proposition.place) === proposition.value;
    case 'same':
      return state.valueOf(proposition.place) === state.valueOf(proposition.other);
    case 'not':
      return !holds(proposition.of, state);
    case 'and':
      return proposition.parts.every((part) => holds(part, state));
    case 'or':
      return proposition.parts.some((part) => holds(part, state));
    case 'implies': {
      const [left, right] = proposition.parts as [Proposition, Proposition];
      return !holds(left, state) || holds(right, state);
    }
  }
}

/** The places that a proposition speaks of. */
export function placesOf(proposition: Proposition): Place[] {
  switch (proposition.is) {
    case 'constant':
      return [];
    case 'equal':
      return [proposition.place];
    case 'same':
      return [proposition.place, proposition.other];
    case 'not':
      return placesOf(proposition.of);
    default:
      return proposition.parts.flatMap(placesOf);
  }
}

const SIGNS = { and: ' /\\ ', or: ' \\/ ', implies: ' => ' };
const STRENGTH = { implies: 0, or: 1, and: 2 };

/** Prints a proposition, with brackets only where they are needed. */
export function propositionText(
  proposition: Proposition,
  locations: readonly string[],
  outer = 0,
): string {
  switch (proposition.is) {
    case 'constant':
      return String(proposition.value);
    case 'equal':
      return `${placeName(proposition.place)}=${valueName(proposition.value, locations)}`;
    case 'same':
      return `${placeName(proposition.place)}=${placeName(proposition.other)}`;
    case 'not':
      return `not (${propositionText(proposition.of, locations)})`;
    default: {
      const strength = STRENGTH[proposition.is];
      const text = proposition.parts
        .map((part) => propositionText(part, locations, strength + 1))
        .join(SIGNS[proposition.is]);
      return strength < outer ? `(${text})` : text;
    }
  }
}
