/** The functions that the steps of a race stand in, cut out of the files that people edit. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SourcePiece } from './page-data.ts';
import type { Place } from './places.ts';

/** Lines before a function that belong to it if they are its comment. */
const MOST_COMMENT = 24;
/** Lines around a place that is in no declared function. */
const AROUND = 8;

/** The folder that holds `src`: the same for what is built and what is edited. */
export function projectRoot(): string {
  const here = fileURLToPath(new URL('../..', import.meta.url));
  const built = join(here, '../..');
  return existsSync(join(here, 'package.json')) ? here : built;
}

/** Each function that a place is in, once, with the comment before it. */
export function sourcesOf(places: readonly Place[]): SourcePiece[] {
  const root = projectRoot();
  const files = new Map<string, readonly string[]>();
  const pieces = new Map<string, SourcePiece>();
  for (const { file, line } of places) {
    const lines = files.get(file) ?? linesOf(join(root, file));
    files.set(file, lines);
    if (line > lines.length) continue;
    const [from, to] = functionAround(lines, line - 1);
    const key = `${file}:${from}`;
    if (!pieces.has(key)) pieces.set(key, { file, from: from + 1, lines: lines.slice(from, to) });
  }
  return [...pieces.values()];
}

function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
}

/** From the first line to behind the last of the function that a line is in. */
function functionAround(lines: readonly string[], at: number): [number, number] {
  let first = at;
  while (first > 0 && !/^(export )?function/.test(lines[first] ?? '')) {
    if (first < at && /^\S/.test(lines[first] ?? '') && !/^[)}]/.test(lines[first] ?? '')) {
      return [Math.max(0, at - AROUND), Math.min(lines.length, at + AROUND)];
    }
    first--;
  }
  let end = at;
  while (end < lines.length && lines[end]?.startsWith('}') !== true) end++;
  let from = first;
  while (from > 0 && first - from < MOST_COMMENT && /^(\/\*\*| \*)/.test(lines[from - 1] ?? '')) {
    from--;
  }
  return [from, Math.min(end + 1, lines.length)];
}
