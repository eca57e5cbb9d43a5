/** Seeds that go to files, and come from there. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Seed } from '../explore/seed.ts';
import { SeedError, parseSeed } from '../explore/seed.ts';
import { SEED_CHARACTERS, formatTraceFile, parseTraceFile } from '../explore/trace-file.ts';
import { UsageError } from './usage.ts';

/** The option of commands that find something. */
export const SAVE_OPTION = ['--save <file>', 'write the finding to a trace file'] as const;

/** The argument of commands that take a seed. */
export const SEED_ARGUMENT = 'a line gnt1.… that explore or shrink printed, or a trace file';

/**
 * What to hand to `gntrace replay`: the seed or, if `--save` asks for it or the seed is long, a
 * file that holds it.
 * @param file - of `--save`; it being impossible to write is wrong use. Without it, a long seed
 *   goes to the working directory, or is printed all the same.
 * @returns one word for a command line.
 */
export function pasteable(seed: string, file?: string): string {
  if (file === undefined && seed.length <= SEED_CHARACTERS) return seed;
  const name = file ?? `gntrace-${seed.slice(seed.lastIndexOf('.') + 1)}.trace`;
  try {
    writeFileSync(name, formatTraceFile(parseSeed(seed)));
    return name;
  } catch (error) {
    if (file === undefined) return seed;
    throw new UsageError(`cannot write ${name}: ${messageOf(error)}`);
  }
}

/** Reads a seed from a command line: the line itself, or the trace file that it names. */
export function readSeed(text: string): Seed {
  try {
    if (/^\s*gnt\d+\./.test(text)) return parseSeed(text);
  } catch (error) {
    throw wrongUse(error, '');
  }
  const content = contentOf(text);
  try {
    return content === null ? parseSeed(text) : parseTraceFile(content);
  } catch (error) {
    throw wrongUse(error, content === null ? '' : `${text}: `);
  }
}

/** @returns what a file holds, null if there is none. */
function contentOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENAMETOOLONG' || code === 'ENOTDIR') return null;
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`);
  }
}

function wrongUse(error: unknown, where: string): unknown {
  return error instanceof SeedError ? new UsageError(`${where}${error.message}`) : error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
