/**
 * The matrix as text: one table of questions by designs, one of past bugs before and after their
 * fix, and below them the seeds of what is broken. Fits 100 columns; a word says what a colour
 * says.
 */
import type { Cell, CellName } from '../campaign/matrix/cell.ts';
import { keyOf } from '../campaign/matrix/cell.ts';
import { races } from '../corpus/races.ts';
import type { Race } from '../corpus/race.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { bold, green, print, red, short } from './output.ts';

const NAME = 18;
const MEMORY = 4;
const COLUMN = 13;
const PAST_NAME = 30;
const PAST_COLUMN = 32;

/** Prints all of it. @param wanted - the cells of this run, decided or not. */
export function printMatrix(wanted: readonly CellName[], cells: ReadonlyMap<string, Cell>): void {
  const asked = races.filter(({ name }) => wanted.some(({ race }) => race === name));
  const questions = asked.filter(({ bug }) => bug === undefined);
  const past = asked.filter(({ bug }) => bug !== undefined);
  const memories = [...new Set(wanted.map(({ memory }) => memory))];
  if (questions.length > 0) {
    const designs = EVERY_DESIGN.filter((name) =>
      questions.some((race) => race.designs.includes(name)),
    );
    printHead(designs);
    for (const race of questions) {
      memories.forEach((memory, i) => {
        const row = designs.map((design) =>
          race.designs.includes(design)
            ? shortCell(cells.get(keyOf({ race: race.name, design, memory })))
            : pad('–', COLUMN),
        );
        const long = race.name.length >= NAME;
        if (i === 0 && long) print(race.name);
        const name = i === 0 && !long ? race.name : '';
        print(`${name.padEnd(NAME)}${memory.padEnd(MEMORY)}${row.join('')}`.trimEnd());
      });
    }
    print('');
  }
  if (past.length > 0) printPast(past, memories, cells);
  print('safe N: every schedule covered, N traces. safe to Kp: every schedule with at most K');
  print(
    'preemptions covered, more undecided. BROKEN I8: see docs/invariants.md. ? N: N clean, open.',
  );
  print('');
  printSeeds([...cells.values()].filter(({ verdict }) => verdict === 'broken'));
}

/** Names of designs, in two lines where one is too short. */
function printHead(designs: readonly string[]): void {
  const halves = designs.map((name) => {
    if (name.length < COLUMN) return ['', name];
    const cut = name.indexOf('-') + 1;
    return [name.slice(0, cut), name.slice(cut)];
  });
  for (const line of [0, 1]) {
    const text = halves.map((half) => pad(half[line] ?? '', COLUMN)).join('');
    print(bold(`${' '.repeat(NAME + MEMORY)}${text}`.trimEnd()));
  }
}

function shortCell(cell: Cell | undefined): string {
  if (cell === undefined) return pad('not run', COLUMN);
  const { verdict, executions, invariant, bound = 0 } = cell;
  switch (verdict) {
    case 'safe':
      return green(pad(`safe ${short(executions)}`, COLUMN));
    case 'broken':
      return red(pad(brokenWord(invariant), COLUMN));
    case 'undecided':
      return pad(bound > 0 ? `safe to ${bound}p` : `? ${short(executions)}`, COLUMN);
  }
}

/** `BROKEN I8`; an invariant without a number is a word of its own: `DEADLOCK`. */
function brokenWord(invariant = ''): string {
  return invariant.length > 4 ? invariant.toUpperCase() : `BROKEN ${invariant}`;
}

function printPast(
  past: readonly Race[],
  memories: readonly Cell['memory'][],
  cells: ReadonlyMap<string, Cell>,
): void {
  print(
    bold(`${' '.repeat(PAST_NAME + MEMORY)}${pad('before the fix', PAST_COLUMN)}after the fix`),
  );
  for (const { name, designs } of past) {
    memories.forEach((memory, i) => {
      const row = designs.map((design) =>
        longCell(cells.get(keyOf({ race: name, design, memory }))),
      );
      const first = i === 0 ? name : '';
      print(`${first.padEnd(PAST_NAME)}${memory.padEnd(MEMORY)}${row.join('')}`.trimEnd());
    });
  }
  print('');
}

function longCell(cell: Cell | undefined): string {
  if (cell === undefined) return pad('not run', PAST_COLUMN);
  const { verdict, executions, invariant, preemptions = 0, bound = 0 } = cell;
  switch (verdict) {
    case 'safe':
      return green(pad(`safe, all ${short(executions)} traces`, PAST_COLUMN));
    case 'broken':
      return red(pad(`${brokenWord(invariant)}, ${count(preemptions, 'preemption')}`, PAST_COLUMN));
    case 'undecided':
      return pad(
        bound > 0
          ? `safe to ${count(bound, 'preemption')}, ${short(executions)}`
          : `undecided, ${short(executions)} clean`,
        PAST_COLUMN,
      );
  }
}

function printSeeds(broken: readonly Cell[]): void {
  for (const { race, design, memory, message, executions, preemptions = 0, seed } of broken) {
    const found = `${count(preemptions, 'preemption')}, execution ${short(executions)}`;
    print(`${bold(race)} ${design} ${memory}: ${message}`);
    print(`  ${found}: gntrace replay ${seed}`);
  }
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function pad(text: string, width: number): string {
  return text.length < width ? text.padEnd(width) : `${text.slice(0, width - 2)}> `;
}
