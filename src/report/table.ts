/**
 * A race as a table for terminals: a lane for each actor, a row for each operation. Where there is
 * no room for the source beside the lanes it goes below its step, and where lanes would be too
 * narrow, rows name their actor instead. Pure text: no colour carries meaning alone.
 */
import { placeParts, placeText, reasonText, stepLines } from './cells.ts';
import { headLines, tailLines } from './head.ts';
import type { Line, LineStyle, Marks } from './lines.ts';
import { cut, marksOf, pad, printable, wrapped } from './lines.ts';
import type { RaceRecord, RaceStep } from './race.ts';
import type { Row } from './rows.ts';
import { rowsOf } from './rows.ts';

export interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Every step, not only those that matter. */
  readonly all: boolean;
  /** No characters beyond ASCII. */
  readonly ascii: boolean;
}

const NARROWEST_LANE = 24;
const NARROWEST_PLACE = 26;
const WIDEST_PLACE = 48;
/** A lane this wide needs no more; what is left goes to the source. */
const AMPLE_LANE = 52;

/** What a row says: in whose lane, where in the source, how it is marked. */
interface Entry {
  readonly number: string;
  /** Lines by actor. */
  readonly cells: ReadonlyMap<number, readonly string[]>;
  readonly place: readonly [string, string] | null;
  readonly style: LineStyle;
}

/** Lines of a table, each at most `width` wide. */
export function raceTable(race: RaceRecord, options: TableOptions): Line[] {
  const { width, ascii } = options;
  const marks = marksOf(ascii);
  const rows = rowsOf(race, options.all);
  const lines = [
    ...headLines(race, width, marks),
    { text: '', style: 'plain' } as const,
    ...tableLines(race, rows, width, marks),
    { text: '', style: 'plain' } as const,
    ...tailLines(race, rows, width, marks),
  ];
  return lines.map(({ text, style }) => ({
    text: cut(printable(text, ascii).trimEnd(), width, marks),
    style,
  }));
}

function tableLines(race: RaceRecord, rows: readonly Row[], width: number, marks: Marks): Line[] {
  const acting = [...new Set(race.steps.map(({ actor }) => actor))].toSorted((a, b) => a - b);
  const number = Math.max(String(race.steps.length).length, 3) + 1;
  const room = width - number - 2;
  const lanes = Math.max(acting.length, 1);
  const beside = Math.floor((room - NARROWEST_PLACE - 1) / lanes) - 3;
  if (beside >= NARROWEST_LANE) {
    const lane = Math.min(beside, AMPLE_LANE);
    const place = Math.min(room - lanes * (lane + 3) - 1, WIDEST_PLACE);
    return new Lanes(race, acting, { number, lane, place }, marks).lines(rows);
  }
  const lane = Math.floor(room / lanes) - 3;
  if (lane >= NARROWEST_LANE) {
    return new Lanes(race, acting, { number, lane, place: 0 }, marks).lines(rows);
  }
  return new Flat(race, number, width, marks).lines(rows);
}

/** What stands in a row besides its number and place, in lines of at most `width`. */
function contentOf(race: RaceRecord, row: Row, width: number, marks: Marks): string[] {
  switch (row.type) {
    case 'step': {
      const mark = race.conflict?.includes(row.step) === true ? ' !!' : '';
      return stepLines(race, race.steps[row.step] as RaceStep, marks, width, mark);
    }
    case 'note':
      return wrapped(`* ${row.text}`, width);
    case 'fold': {
      const count = row.to - row.from + 1;
      return [cut(`${marks.left} ${count}${row.fn === '' ? '' : ` in ${row.fn}`}`, width, marks)];
    }
    case 'spin': {
      const block = row.length === 1 ? 'step' : `${row.length} steps`;
      return wrapped(`${marks.left} the last ${block} ${row.times} times`, width);
    }
    case 'switch':
      return wrapped(reasonText(race, row.turn), width);
    case 'loop':
      return [`${marks.left} these ${row.length} steps ${row.times} times, until the end`];
    case 'more':
      return [`${marks.left} ${row.rows} rows before are left out (--all)`];
  }
}

function styleOf(race: RaceRecord, row: Row): LineStyle {
  if (row.type === 'step') return race.conflict?.includes(row.step) === true ? 'race' : 'plain';
  return row.type === 'switch' ? 'switch' : row.type === 'note' ? 'plain' : 'quiet';
}

/** The actor in whose lane a row stands; -1 for all. */
function actorOfRow(race: RaceRecord, row: Row): number {
  switch (row.type) {
    case 'step':
    case 'note':
      return race.steps[row.step]?.actor ?? -1;
    case 'fold':
    case 'spin':
      return race.steps[row.to]?.actor ?? -1;
    case 'switch':
      return row.turn.from;
    default:
      return -1;
  }
}

function numberOf(row: Row): string {
  return row.type === 'step' ? String(row.step + 1) : row.type === 'switch' ? '~~' : '';
}

interface Columns {
  readonly number: number;
  readonly lane: number;
  /** 0: the source goes below. */
  readonly place: number;
}

/** One column for each actor. */
class Lanes {
  private readonly race: RaceRecord;
  private readonly acting: readonly number[];
  private readonly columns: Columns;
  private readonly marks: Marks;

  constructor(race: RaceRecord, acting: readonly number[], columns: Columns, marks: Marks) {
    this.race = race;
    this.acting = acting;
    this.columns = columns;
    this.marks = marks;
  }

  lines(rows: readonly Row[]): Line[] {
    const { acting, race, marks, columns } = this;
    const heads = new Map(
      acting.map((a) => [a, wrapped(race.actors[a]?.name ?? '', columns.lane)]),
    );
    const rule = new Map(acting.map((a) => [a, [marks.rule.repeat(columns.lane)]]));
    const title = ['function', 'file:line'] as const;
    return [
      { number: '', cells: heads, place: title, style: 'title' } as const,
      { number: '', cells: rule, place: null, style: 'quiet' } as const,
      ...rows.map((row) => this.entry(row)),
    ].flatMap((entry) => this.entryLines(entry));
  }

  private entry(row: Row): Entry {
    const { race, columns, marks } = this;
    const actor = actorOfRow(race, row);
    const content = contentOf(race, row, columns.lane, marks);
    const cells = new Map([[actor, content]]);
    if (row.type === 'switch') cells.set(row.turn.to, ['runs']);
    const place = row.type === 'step' ? placeParts(race, race.steps[row.step]?.stack ?? -1) : null;
    if (place !== null && columns.place === 0) {
      const below = wrapped(place.join(' '), columns.lane - 4).map((text) => `    ${text}`);
      cells.set(actor, [...content, ...below]);
    }
    return { number: numberOf(row), cells, place, style: styleOf(race, row) };
  }

  private entryLines({ number, cells, place, style }: Entry): Line[] {
    const { columns, acting, marks } = this;
    const everywhere = cells.get(-1);
    if (everywhere !== undefined) {
      return everywhere.map((text) => ({ text: ' '.repeat(columns.number + 1) + text, style }));
    }
    const source = place === null || columns.place === 0 ? [] : this.placeLines(place);
    const height = Math.max(...[...cells.values()].map(({ length }) => length), source.length);
    return Array.from({ length: height }, (_, i) => {
      const lanes = acting.map((a) => ` ${pad(cells.get(a)?.[i] ?? '', columns.lane, marks)} `);
      const begin = (i === 0 ? number : '').padStart(columns.number);
      const end = columns.place === 0 ? '' : ` ${source[i] ?? ''}`;
      return { text: `${begin} ${marks.bar}${lanes.join(marks.bar)}${marks.bar}${end}`, style };
    });
  }

  private placeLines([fn, line]: readonly [string, string]): string[] {
    const one = `${fn} ${line}`;
    return one.length <= this.columns.place ? [one] : [fn, `  ${line}`];
  }
}

/** Rows that name their actor. */
class Flat {
  private readonly race: RaceRecord;
  private readonly number: number;
  private readonly width: number;
  private readonly marks: Marks;

  constructor(race: RaceRecord, number: number, width: number, marks: Marks) {
    this.race = race;
    this.number = number;
    this.width = width;
    this.marks = marks;
  }

  lines(rows: readonly Row[]): Line[] {
    return rows.flatMap((row) => this.rowLines(row));
  }

  private rowLines(row: Row): Line[] {
    const { race, number, width, marks } = this;
    const begin = `${numberOf(row).padStart(number)} `;
    const indent = ' '.repeat(number + 3);
    const room = width - indent.length;
    const who = race.actors[actorOfRow(race, row)]?.name;
    const said = contentOf(race, row, 10_000, marks).join(' ');
    const next = row.type === 'switch' ? `, ${race.actors[row.turn.to]?.name} runs` : '';
    const text = `${who === undefined ? '' : `${who}: `}${said}${next}`;
    const place = row.type === 'step' ? placeText(race, race.steps[row.step]?.stack ?? -1) : '';
    const style = styleOf(race, row);
    const one = `${begin}${text}  ${place}`.trimEnd();
    if (one.length <= width) return [{ text: one, style }];
    const [first = '', ...rest] = wrapped(text, room);
    const below = [...rest, ...(place === '' ? [] : wrapped(place, room))];
    return [
      { text: begin + first, style },
      ...below.map((more) => ({ text: indent + more, style })),
    ];
  }
}
