/**
 * A race as a table for terminals: a lane for each actor, a row for each operation. Where lanes
 * would be too narrow, rows name their actor instead. Pure text: no colour carries meaning alone.
 */
import type { RaceRecord, RaceStep } from './race.ts';
import { placesOfStack, valueText } from './race.ts';

export interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Every step, not only those that matter. */
  readonly all: boolean;
  /** No characters beyond ASCII. */
  readonly ascii: boolean;
}

/** By kind: reads, writes, atomic operations, waits, barriers. */
const LETTERS = ' RWRWRWXXXXXBBBAAXRW.C';
const LEGEND =
  'R read, W write, X atomic, A wait, F flush of a buffered store, B barrier, !! the race';
const NARROWEST_LANE = 24;
const NUMBER = 5;
const PLACE = 26;

/** The marks of the table, in ASCII or not. */
function marksOf(ascii: boolean) {
  return ascii
    ? { bar: '|', becomes: '=>', is: '->', rule: '-', cut: '>' }
    : { bar: '│', becomes: '⇒', is: '→', rule: '─', cut: '…' };
}

type Marks = ReturnType<typeof marksOf>;

/** Text of a table, line by line, each at most `width` wide. */
export function raceTable(race: RaceRecord, options: TableOptions): string[] {
  const marks = marksOf(options.ascii);
  const acting = [...new Set(race.steps.map(({ actor }) => actor))].toSorted((a, b) => a - b);
  const room = options.width - NUMBER - PLACE;
  const lane = Math.floor(room / Math.max(acting.length, 1)) - 3;
  const wide = lane >= NARROWEST_LANE;
  const rows = wide ? laneRows(race, acting, lane, options, marks) : flatRows(race, options, marks);
  return [...head(race, options.width, marks), '', ...rows, '', ...tail(race, options, marks)];
}

function head(race: RaceRecord, width: number, marks: Marks): string[] {
  const { scenario, design, memory, message, invariant, conflict } = race;
  const under = [design, memory].filter((text) => text !== '').join(', ');
  const lines = [`${scenario} [${under}]  ${invariant ?? 'nothing broke'}`];
  if (message !== null) lines.push(...wrapped(message, width - 2).map((text) => `  ${text}`));
  if (conflict === null) return lines;
  const [first, then] = conflict;
  lines.push('', pairLine('first', race, first, marks), pairLine('then ', race, then, marks));
  return lines.map((text) => cut(text, width, marks));
}

function pairLine(label: string, race: RaceRecord, i: number, marks: Marks): string {
  const step = race.steps[i] as RaceStep;
  const who = race.actors[step.actor]?.name ?? '';
  return `  ${label}  step ${i + 1}, ${who}: ${whatOf(race, step, marks)}  ${placeOf(race, step)}`;
}

/** Steps to show, and what was left out before each. */
function shown(race: RaceRecord, all: boolean): number[] {
  const { steps, switches, conflict } = race;
  const edges = new Set<number>(conflict ?? []);
  for (const { before } of switches) edges.add(before).add(before - 1);
  edges.add(steps.length - 1);
  return steps.flatMap(({ matters }, i) => (all || matters || edges.has(i) ? [i] : []));
}

function laneRows(
  race: RaceRecord,
  acting: readonly number[],
  lane: number,
  { all, width }: TableOptions,
  marks: Marks,
): string[] {
  const line = (number: string, cells: readonly string[], place: string): string => {
    const text = cells.map((cell) => ` ${pad(cell, lane, marks)} `).join(marks.bar);
    return cut(
      `${number.padStart(NUMBER - 1)} ${marks.bar}${text}${marks.bar} ${place}`,
      width,
      marks,
    );
  };
  const names = acting.map((actor) => race.actors[actor]?.name ?? '');
  const rule = acting.map(() => marks.rule.repeat(lane));
  const rows = [line('', names, 'function, file:line'), line('', rule, '')];
  for (const i of shown(race, all)) {
    const step = race.steps[i] as RaceStep;
    const turn = race.switches.find(({ before }) => before === i);
    if (turn !== undefined) {
      const cells = acting.map((actor) =>
        actor === turn.from ? turn.reason : actor === turn.to ? 'runs' : '',
      );
      rows.push(line('~~', cells, ''));
    }
    const cells = acting.map((actor) =>
      actor === step.actor
        ? whatOf(race, step, marks, lane - markOf(race, i).length) + markOf(race, i)
        : '',
    );
    rows.push(line(String(i + 1), cells, placeOf(race, step)));
  }
  return rows;
}

function flatRows(race: RaceRecord, { all, width }: TableOptions, marks: Marks): string[] {
  const rows: string[] = [];
  for (const i of shown(race, all)) {
    const step = race.steps[i] as RaceStep;
    const turn = race.switches.find(({ before }) => before === i);
    if (turn !== undefined) {
      rows.push(
        `  ~~ ${race.actors[turn.from]?.name} ${turn.reason}, ${race.actors[turn.to]?.name} runs`,
      );
    }
    const who = race.actors[step.actor]?.name ?? '';
    const number = String(i + 1).padStart(NUMBER - 1);
    rows.push(
      `${number} ${who} ${whatOf(race, step, marks)}${markOf(race, i)} ${placeOf(race, step)}`,
    );
  }
  return rows.map((text) => cut(text, width, marks));
}

function tail(race: RaceRecord, { all, width }: TableOptions, marks: Marks): string[] {
  const hidden = all ? 0 : race.steps.length - shown(race, false).length;
  const left = hidden === 0 ? '' : `; ${hidden} that nobody else sees are left out (--all)`;
  const { steps, preemptions } = race;
  const count = `  ${steps.length} steps, ${preemptions} preemptions${left}`;
  return [`  ${LEGEND}`, count].map((text) => cut(text, width, marks));
}

/** ` !!` behind the two accesses that decide. */
function markOf({ conflict }: RaceRecord, i: number): string {
  return conflict?.includes(i) === true ? ' !!' : '';
}

/** `W active[d1].entry[8].pin 2⇒1` in at most `width` columns; a long name loses its beginning. */
function whatOf(race: RaceRecord, step: RaceStep, marks: Marks, width = 80): string {
  const { kind, object, before, after, effect, store, result } = step;
  const letter = store === undefined ? (LETTERS[kind] ?? '?') : 'F';
  const word = race.objects[object];
  if (word === undefined) return `${letter} ${race.kinds[kind] ?? ''}`;
  const { name } = word;
  const seen = before === after ? before : result;
  const values =
    effect === 'writes' && before !== after
      ? ` ${valueText(word, before)}${marks.becomes}${valueText(word, after)}`
      : ` ${marks.is} ${valueText(word, seen)}`;
  const room = Math.max(width - letter.length - 1 - values.length, 8);
  const short = name.length <= room ? name : `${marks.cut}${name.slice(name.length - room + 1)}`;
  return `${letter} ${short}${values}`;
}

function placeOf(race: RaceRecord, { stack }: RaceStep): string {
  const [place] = placesOfStack(race, stack);
  if (place === undefined) return '';
  return `${place.fn} ${place.file.slice(place.file.lastIndexOf('/') + 1)}:${place.line}`;
}

function cut(text: string, width: number, marks: Marks): string {
  const line = text.trimEnd();
  return line.length <= width ? line : `${line.slice(0, width - 1)}${marks.cut}`;
}

function pad(text: string, width: number, marks: Marks): string {
  return cut(text, width, marks).padEnd(width);
}

function wrapped(message: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of message.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
