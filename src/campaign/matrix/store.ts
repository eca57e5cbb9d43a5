/**
 * What is known of cells for this code. One file for each version of the code, lines of JSON that
 * are only ever appended: a kill may cut the last line, which is then as if it had not been
 * written. Decided cells only; with another version of anything that a result depends on, the file
 * is another one.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell, CellName } from './cell.ts';
import { keyOf } from './cell.ts';

export class MatrixStore {
  /** Where it keeps what it knows. */
  readonly path: string;
  private readonly cells = new Map<string, Cell>();

  /** @param dir - made if it is not there. @param version - of the code. */
  constructor(dir: string, version: string) {
    mkdirSync(dir, { recursive: true });
    this.path = join(dir, `${version}.ndjson`);
    if (!existsSync(this.path)) return;
    for (const line of readFileSync(this.path, 'utf8').split('\n')) {
      const cell = cellOf(line);
      if (cell !== null) this.cells.set(keyOf(cell), cell);
    }
  }

  /** What is known of a cell. */
  get(name: CellName): Cell | undefined {
    return this.cells.get(keyOf(name));
  }

  /** Keeps a decided cell, on the disk when this returns. */
  put(cell: Cell): void {
    this.cells.set(keyOf(cell), cell);
    appendFileSync(this.path, `\n${JSON.stringify(cell)}`);
  }
}

/** A line of the file, or null if it was cut. */
function cellOf(line: string): Cell | null {
  if (!line.endsWith('}')) return null;
  try {
    return JSON.parse(line) as Cell;
  } catch {
    return null;
  }
}
