/**
 * Trace files: a seed that is too long for a command line, as a file that `replay` and `shrink`
 * take in its place.
 *
 *   gntrace-trace 1          what it is, and the version of the form
 *   gnt1.race/…              the seed, cut into lines
 *   …
 *   end
 *
 * The seed's own checksum covers what it says; the last line shows that nothing is missing.
 */
import type { Seed } from './seed.ts';
import { SeedError, formatSeed, parseSeed } from './seed.ts';

/** Seeds with more characters than this are handed over as files. */
export const SEED_CHARACTERS = 2000;

const VERSION = 1;
const HEADER = 'gntrace-trace';
const END = 'end';
const COLUMNS = 96;

/** Writes a trace file. */
export function formatTraceFile(seed: Seed): string {
  const text = formatSeed(seed);
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += COLUMNS) lines.push(text.slice(at, at + COLUMNS));
  return [`${HEADER} ${VERSION}`, ...lines, END, ''].join('\n');
}

/** Reads a trace file. Throws SeedError for anything that formatTraceFile did not write. */
export function parseTraceFile(text: string): Seed {
  const lines = text.split(/\r?\n/);
  const version = /^gntrace-trace (\d+)$/.exec(lines[0] ?? '')?.[1];
  if (version === undefined) {
    throw new SeedError(`it is no gntrace trace: its first line must be "${HEADER} ${VERSION}"`);
  }
  if (Number(version) > VERSION) {
    throw new SeedError(`it is of version ${version}; this gntrace reads up to ${VERSION}`);
  }
  if (version !== String(VERSION)) throw new SeedError(`there is no version ${version} of it`);
  const end = lines.indexOf(END);
  if (end < 0) throw new SeedError(`it is cut off: the last line must be "${END}"`);
  if (lines.slice(end + 1).some((line) => line !== '')) {
    throw new SeedError(`it is damaged: something stands after the line "${END}"`);
  }
  return parseSeed(lines.slice(1, end).join(''));
}
