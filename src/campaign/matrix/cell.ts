/**
 * A cell of the matrix: one race asked of one design under one memory model, and what came of it.
 */
import { races } from '../../corpus/races.ts';
import type { Race } from '../../corpus/race.ts';
import { BESIDES_DMA } from '../../linux/designs/design.ts';

export type Memory = 'sc' | 'tso';

/** Which cell. */
export interface CellName {
  /** Name of the race. */
  readonly race: string;
  /** A design, or `before` or `after` the fix. */
  readonly design: string;
  readonly memory: Memory;
}

export interface Cell extends CellName {
  /** The design that was run, if it is the same one for this race. */
  readonly as?: string;
  readonly verdict: 'safe' | 'broken' | 'undecided';
  /** Every schedule was covered, up to equivalence. */
  readonly exhausted: boolean;
  /** Of an undecided cell: every schedule with at most so many preemptions was covered. */
  readonly bound?: number;
  /** Complete executions: until the finding, or all. */
  readonly executions: number;
  /** The strategy that decided, or the last one that tried. */
  readonly strategy: string;
  readonly seconds: number;
  /** Of the finding. */
  readonly seed?: string;
  readonly preemptions?: number;
  readonly invariant?: string;
  readonly message?: string;
}

/** Which part of the matrix is wanted. */
export interface MatrixSelection {
  /** Names of races, or ids of the catalogue; all if empty. */
  readonly only: readonly string[];
  readonly memories: readonly Memory[];
}

/** Does this text name the race? Accepts `race/x1-…`, `x1-…` and `X1`. */
export function isNamed(race: Race, text: string): boolean {
  const wanted = text.replace(/^race\//, '').toLowerCase();
  return wanted === race.name || wanted === race.bug?.id.toLowerCase();
}

/** The cells of a selection: the questions that decide between designs first. */
export function selectCells({ only, memories }: MatrixSelection): CellName[] {
  const rows = races.filter(
    (race) => only.length === 0 || only.some((text) => isNamed(race, text)),
  );
  return rows.flatMap(({ name: race, designs }) =>
    memories.flatMap((memory) => designs.map((design) => ({ race, design, memory }))),
  );
}

/** The cell that is run for this one: where no device takes part, designs may be the same. */
export function asRun(name: CellName): CellName {
  const same = BESIDES_DMA.get(name.design);
  const race = races.find((candidate) => candidate.name === name.race);
  return same === undefined || race?.dma === true ? name : { ...name, design: same };
}

/** What is known of a cell, or of the one that is run for it. */
export function knownOf(name: CellName, cells: ReadonlyMap<string, Cell>): Cell | undefined {
  const run = asRun(name);
  const cell = cells.get(keyOf(run));
  if (cell === undefined || run === name) return cell;
  return { ...cell, design: name.design, as: run.design };
}

/** One key for one cell. */
export function keyOf({ race, design, memory }: CellName): string {
  return `${race} ${design} ${memory}`;
}
