/**
 * Where in the source an operation stands: frames of a stack, led back to the files people edit by
 * the source maps of the edition that runs.
 */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A line of simulated code. */
export interface Place {
  /** The kernel's function. */
  readonly fn: string;
  /** From the project's root: `src/xen/grant-table/unmap.ts`. */
  readonly file: string;
  readonly line: number;
}

/** Finds the frames of simulated code in the text of a stack, the innermost first. */
export type Locate = (stack: string) => readonly Place[];

/** Rooms of simulated code, below `src/`; programs of other people lie anywhere else. */
const machinery =
  /\/(src\/(explore|report|cli|campaign|threads)|node_modules)\/|\/operations\.[jt]s|node:/;
const explorer = /\/src\/explore\//;
const frame = /^\s*at (?:Generator\.)?(?:(.*?) \()?(?:file:\/\/)?(\/[^():]+):(\d+):(\d+)\)?$/;
const maps = new Map<string, SourceMap | null>();

function mapOf(file: string): SourceMap | null {
  const known = maps.get(file);
  if (known !== undefined) return known;
  const path = `${file}.map`;
  const map = existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : null;
  maps.set(file, map);
  return map;
}

function original(file: string, line: number, column: number): [string, number] {
  const entry = mapOf(file)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !('originalSource' in entry)) return [file, line];
  const source = entry.originalSource;
  const path = source.startsWith('file:') ? fileURLToPath(source) : resolve(dirname(file), source);
  return [path, entry.originalLine + 1];
}

/** The frames of simulated code in a stack, the innermost first. */
export function placesOf(stack: string): Place[] {
  const places: Place[] = [];
  for (const text of stack.split('\n')) {
    const match = frame.exec(text);
    const file = match?.[2] ?? '';
    // What called the actors is no part of them.
    if (places.length > 0 && explorer.test(file)) break;
    if (match === null || machinery.test(file)) continue;
    const [path, line] = original(file, Number(match[3]), Number(match[4]));
    const fn = functionName(match[1] ?? '');
    if (fn === '' || fn === 'Object.body' || fn === 'body') continue;
    places.push({ fn, file: fromRoot(path), line });
  }
  return places;
}

/** `Object.renameFrame [as body]` → `renameFrame`; the name that an override replaces, as it is. */
function functionName(text: string): string {
  return text
    .replace(/ \[as [^\]]*\]$/, '')
    .replace(/\.next$/, '')
    .replace(/\$today$/, '')
    .replace(/^Object\.(?!body$)/, '');
}

/** From the project's root, or from where the command runs if it lies below. */
function fromRoot(path: string): string {
  const at = path.lastIndexOf('/src/');
  if (at >= 0) return path.slice(at + 1);
  const near = relative(process.cwd(), path);
  return near.startsWith('..') || isAbsolute(near) ? path : near;
}
