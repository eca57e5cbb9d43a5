/**
 * Where in the source an operation of the page's engine stands. The build (build/viewer.mjs) keeps
 * of the engine's source map what this takes: for each position in simulated code its file and
 * line, and where functions begin and end.
 */
import type { Place } from '../../src/report/places.ts';

export interface EngineMap {
  /** Files of simulated code, from the project's root. */
  readonly files: readonly string[];
  /** By file: name, first and last line of a function, name, first line, … */
  readonly functions: readonly (readonly (string | number)[])[];
  /** By line of the engine: column, file and line, each as a difference to the one before. */
  readonly positions: readonly (readonly number[])[];
}

interface Line {
  readonly columns: Int32Array;
  readonly files: Int32Array;
  readonly lines: Int32Array;
}

/** V8 writes `at name (url:line:column)`, others `name@url:line:column`. */
const frame = /(?:^|[\s(@])[^\s()@]*:(\d+):(\d+)\)?$/;
/** Columns without simulated code. */
const NO_FILE = -1;

export class Locator {
  private readonly map: EngineMap;
  private readonly lines: readonly Line[];

  constructor(map: EngineMap) {
    this.map = map;
    this.lines = map.positions.map(summed);
  }

  /** The frames of simulated code in a stack, the innermost first. */
  readonly locate = (stack: string): readonly Place[] =>
    stack.split('\n').flatMap((text) => {
      const match = frame.exec(text);
      if (match === null) return [];
      return this.place(Number(match[1]) - 1, Number(match[2]) - 1) ?? [];
    });

  private place(line: number, column: number): Place | null {
    const at = this.lines[line];
    if (at === undefined) return null;
    const found = lastUpTo(at.columns, column);
    const file = at.files[found] ?? NO_FILE;
    const path = this.map.files[file];
    if (found < 0 || path === undefined) return null;
    const original = at.lines[found] ?? 0;
    const fn = functionAt(this.map.functions[file] ?? [], original);
    return fn === null ? null : { fn, file: path, line: original };
  }
}

function summed(differences: readonly number[]): Line {
  const count = differences.length / 3;
  const line = {
    columns: new Int32Array(count),
    files: new Int32Array(count),
    lines: new Int32Array(count),
  };
  const last = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    for (let part = 0; part < 3; part++) {
      last[part] = (last[part] ?? 0) + (differences[i * 3 + part] ?? 0);
    }
    line.columns[i] = last[0] ?? 0;
    line.files[i] = last[1] ?? 0;
    line.lines[i] = last[2] ?? 0;
  }
  return line;
}

/** Index of the last number that is not above `value`; -1 if all are. */
function lastUpTo(sorted: Int32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The function that a line is in; null between functions. */
function functionAt(functions: readonly (string | number)[], line: number): string | null {
  for (let i = 0; i + 2 < functions.length; i += 3) {
    const [name, first, last] = functions.slice(i, i + 3) as [string, number, number];
    if (line >= first && line <= last) return name;
  }
  return null;
}
