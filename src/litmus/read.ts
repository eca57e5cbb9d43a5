/** Reads a whole litmus file: header, initial state, threads, condition. */
import type { Names, Proposition } from './condition.ts';
import { placesOf, readPlace, readProposition } from './condition.ts';
import { isTypeWord, readKernelThread } from './kernel-c.ts';
import { Cursor, tokenize, withoutComments } from './lexer.ts';
import { LitmusError } from './litmus-error.ts';
import type { Instruction, LitmusTest, Place, Quantifier } from './litmus-test.ts';
import { Locations } from './thread-builder.ts';
import { readX86Table, registerName } from './x86.ts';

interface Sections {
  readonly architecture: string;
  readonly name: string;
  readonly init: { readonly text: string; readonly line: number };
  readonly body: { readonly text: string; readonly line: number };
  readonly tail: { readonly text: string; readonly line: number };
}

const CONDITION_START = /^[ \t]*(locations|filter|exists|~[ \t]*exists|forall)\b/m;

/** Reads the text of a litmus file. Throws LitmusError for what it cannot read. */
export function readLitmus(text: string): LitmusTest {
  const sections = split(text);
  const { architecture } = sections;
  if (architecture !== 'X86' && architecture !== 'X86_64' && architecture !== 'C') {
    throw new LitmusError(1, `architecture "${architecture}" is not read; X86, X86_64 and C are`);
  }
  const locations = new Locations();
  const registers = new Map<number, Map<string, number>>();
  const spell = (name: string): string =>
    architecture === 'C' ? name : registerName(name, architecture === 'X86_64') || name;
  readInit(sections, locations, registers, spell);
  const { body } = sections;
  const threads =
    architecture === 'C'
      ? readKernelThreads(body.text, body.line, locations)
      : readX86Table(
          withoutComments(body.text, body.line),
          body.line,
          architecture === 'X86_64',
          locations,
        );
  const names: Names = { locations: locations.names, register: spell };
  const tail = readTail(sections, names, threads.length);
  for (const place of tail.places) if (place.of === 'location') locations.address(place.name);
  return {
    architecture,
    name: sections.name,
    locations: locations.names,
    initial: locations.names.map((name) => locations.initial.get(name) ?? 0),
    registers: threads.map((_, i) => registers.get(i) ?? new Map<string, number>()),
    threads,
    ...tail,
  };
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function split(text: string): Sections {
  const header = /^\s*(\S+)[ \t]+([^\n]*?)[ \t\r]*\n/.exec(text);
  if (header === null) throw new LitmusError(1, 'the first line must be "ARCHITECTURE NAME"');
  const [whole, architecture, name] = header as unknown as [string, string, string];
  const open = findInit(text, whole.length);
  const close = text.indexOf('}', open);
  if (close < 0) throw new LitmusError(lineAt(text, open), 'the initial state is not closed');
  const rest = text.slice(close + 1);
  const condition = CONDITION_START.exec(rest);
  if (condition === null) {
    throw new LitmusError(lineAt(text, text.trimEnd().length), 'the test has no condition');
  }
  const at = (from: number, to: number): { text: string; line: number } => ({
    text: text.slice(from, to),
    line: lineAt(text, from),
  });
  const tailFrom = close + 1 + condition.index;
  return {
    architecture,
    name,
    init: at(open + 1, close),
    body: at(close + 1, tailFrom),
    tail: at(tailFrom, text.length),
  };
}

/** The offset of the brace that opens the initial state, past comments and information lines. */
function findInit(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) {
      at++;
    } else if (text.startsWith('(*', at)) {
      const end = text.indexOf('*)', at);
      if (end < 0) throw new LitmusError(lineAt(text, at), 'a comment (* is not closed');
      at = end + 2;
    } else if (text[at] === '{') {
      return at;
    } else {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    }
  }
  throw new LitmusError(lineAt(text, text.trimEnd().length), 'the initial state { } is missing');
}

function readInit(
  { init }: Sections,
  locations: Locations,
  registers: Map<number, Map<string, number>>,
  spell: (name: string) => string,
): void {
  const cursor = new Cursor(tokenize(withoutComments(init.text, init.line), init.line), init.line);
  while (!cursor.done) {
    if (cursor.take(';')) continue;
    let thread = -1;
    while (isTypeWord(cursor.peek()) || cursor.peek() === '*') cursor.next();
    if (cursor.kind() === 'number') {
      thread = cursor.number();
      cursor.expect(':');
      cursor.take('%');
    }
    const bracketed = cursor.take('[');
    const name = cursor.name('a register or location');
    if (bracketed) cursor.expect(']');
    const value = cursor.take('=') ? readInitial(cursor, locations) : 0;
    if (!cursor.done) cursor.expect(';');
    if (thread < 0) {
      locations.address(name);
      locations.initial.set(name, value);
      continue;
    }
    const own = registers.get(thread) ?? new Map<string, number>();
    registers.set(thread, own.set(spell(name), value));
  }
}

function readInitial(cursor: Cursor, locations: Locations): number {
  if (cursor.take('(')) {
    const inner = readInitial(cursor, locations);
    cursor.expect(')');
    return inner;
  }
  if (cursor.take('ATOMIC_INIT')) return readInitial(cursor, locations);
  cursor.take('&');
  return cursor.kind() === 'name' ? locations.address(cursor.next()) : cursor.number();
}

function readKernelThreads(text: string, line: number, locations: Locations): Instruction[][] {
  const cursor = new Cursor(tokenize(text, line), line);
  const threads: Instruction[][] = [];
  while (!cursor.done) {
    while (isTypeWord(cursor.peek())) cursor.next();
    const name = cursor.name('a thread');
    if (name !== `P${threads.length}`) {
      throw cursor.error(`expected thread P${threads.length}, found "${name}"`);
    }
    threads.push(readKernelThread(cursor, locations));
  }
  if (threads.length === 0) throw new LitmusError(line, 'there are no threads');
  return threads;
}

interface Tail {
  readonly quantifier: Quantifier;
  readonly condition: Proposition;
  readonly filter: Proposition | null;
  readonly shown: readonly Place[];
  readonly places: readonly Place[];
}

function readTail({ tail }: Sections, names: Names, threads: number): Tail {
  const cursor = new Cursor(tokenize(withoutComments(tail.text, tail.line), tail.line), tail.line);
  const places: Place[] = [];
  const shown: Place[] = [];
  let filter: Proposition | null = null;
  for (;;) {
    if (cursor.take('locations')) {
      cursor.expect('[');
      while (!cursor.take(']')) {
        if (!cursor.take(';')) shown.push(readPlace(cursor, names));
      }
    } else if (cursor.take('filter')) {
      filter = readProposition(cursor, names);
    } else {
      break;
    }
  }
  const negated = cursor.take('~');
  const word = cursor.next();
  if (word !== 'exists' && (negated || word !== 'forall')) {
    throw cursor.error(`expected exists, ~exists or forall, found "${word}"`);
  }
  const quantifier = word === 'forall' ? 'forall' : negated ? '~exists' : 'exists';
  const condition = readProposition(cursor, names);
  if (!cursor.done) throw cursor.error(`"${cursor.peek()}" follows the condition`);
  places.push(...shown, ...placesOf(condition), ...(filter === null ? [] : placesOf(filter)));
  const stray = places.find((place) => place.of === 'register' && place.thread >= threads);
  if (stray?.of === 'register') {
    throw new LitmusError(tail.line, `the condition speaks of P${stray.thread}, which is nowhere`);
  }
  return { quantifier, condition, filter, shown, places };
}
