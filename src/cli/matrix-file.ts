/** `--html FILE` of the matrix: its page, and beside it the pages of the races that broke. */
import { resolve } from 'node:path';
import { codeVersion } from '../campaign/code-version.ts';
import type { Cell, CellName } from '../campaign/matrix/cell.ts';
import { races } from '../corpus/races.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { matrixPage } from '../report/matrix-page.ts';
import { print } from './output.ts';
import { writeText } from './race-export.ts';
import { writeRacePages } from './race-pages.ts';

/** Writes them. @param wanted - cells that were asked. @param quiet - says nothing of it. */
export function writeMatrixPage(
  file: string,
  wanted: readonly CellName[],
  cells: readonly Cell[],
  quiet: boolean,
): void {
  const rows = races.filter(({ name }) => wanted.some(({ race }) => race === name));
  const pages = writeRacePages(
    file,
    cells.flatMap(({ seed }) => seed ?? []),
  );
  const linked = cells.map((cell) => {
    const page = pages.get(cell.seed ?? '');
    return page === undefined ? cell : { ...cell, page };
  });
  const page = { code: codeVersion(), designs: EVERY_DESIGN, races: rows, cells: linked };
  const path = resolve(file);
  writeText(path, matrixPage(page));
  if (!quiet) print(`\nas a page: ${path}`);
}
