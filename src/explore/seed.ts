/**
 * Seeds: one line that says how to see an execution again, anywhere.
 *
 *   gnt1.SCENARIO.DESIGN.PARAM.MEMORY.WORKLOAD.STRATEGY.SCHEDULE.CHOICES.CHECKSUM
 *   gnt1.SCENARIO.DESIGN.PARAM.MEMORY.WORKLOAD.STRATEGY.SCHEDULE.CHOICES.WITHOUT.CHECKSUM
 *
 * The schedule names processes by letters (a = 0 … z = 25, A = 26 … Z = 51, then _52_ …), each
 * with the length of its turn if that is more than one step: `a12b1` is `a12b`. Choices of data
 * are numbers joined by `-`. Actors that are left out are named by their letters; if there are
 * none, there is no such field. The checksum covers all that stands before it. See docs/seeds.md.
 */
import type { MemoryName } from './fibers.ts';

/** What a seed says. */
export interface Seed {
  readonly scenario: string;
  /** Empty if the scenario has none. */
  readonly design: string;
  readonly param: number;
  readonly memory: MemoryName;
  /** Seed of the workload and of a random strategy. */
  readonly workload: number;
  /** The strategy that found it; a replay needs only the schedule. */
  readonly strategy: string;
  readonly schedule: readonly number[];
  readonly choices: readonly number[];
  /** Actors that are left out, in order; absent if all run. */
  readonly without?: readonly number[];
}

/** A text that is no usable seed; the message is one line for the user. */
export class SeedError extends Error {}

const VERSION = 1;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Writes a seed as text. */
export function formatSeed(seed: Seed): string {
  const body = [
    `gnt${VERSION}`,
    escape(seed.scenario),
    escape(seed.design),
    String(seed.param),
    seed.memory,
    String(seed.workload),
    escape(seed.strategy),
    formatSchedule(seed.schedule),
    seed.choices.join('-'),
    ...(seed.without === undefined || seed.without.length === 0
      ? []
      : [seed.without.map(letterOf).join('')]),
  ].join('.');
  return `${body}.${checksum(body)}`;
}

/** Reads a seed. Throws SeedError for anything that formatSeed did not write. */
export function parseSeed(text: string): Seed {
  const line = text.trim();
  const version = /^gnt(\d+)\./.exec(line)?.[1];
  if (version === undefined)
    throw new SeedError('this is no gntrace seed, which begins with gnt1., and no trace file');
  if (Number(version) > VERSION) {
    throw new SeedError(`the seed is of version ${version}; this gntrace reads up to ${VERSION}`);
  }
  const end = line.lastIndexOf('.');
  const fields = line.slice(0, end).split('.');
  if (fields.length !== 9 && fields.length !== 10) {
    throw new SeedError(
      'the seed is cut off or damaged: it must have ten or eleven fields between dots',
    );
  }
  if (checksum(line.slice(0, end)) !== line.slice(end + 1)) {
    throw new SeedError('the seed is damaged: its checksum does not fit (was it copied whole?)');
  }
  const memory = fields[4];
  if (memory !== 'sc' && memory !== 'tso') {
    throw new SeedError(`the seed names a memory model that this gntrace lacks: ${memory}`);
  }
  return {
    scenario: unescape(fields[1]),
    design: unescape(fields[2]),
    param: Number(fields[3]),
    memory,
    workload: Number(fields[5]),
    strategy: unescape(fields[6]),
    schedule: parseSchedule(fields[7]),
    choices: fields[8] === '' ? [] : fields[8].split('-').map(Number),
    ...(fields.length === 10 && { without: parseSchedule(fields[9]) }),
  };
}

/** Writes a schedule as turns. */
export function formatSchedule(schedule: readonly number[]): string {
  let text = '';
  for (let i = 0; i < schedule.length;) {
    const process = schedule[i];
    let end = i + 1;
    while (end < schedule.length && schedule[end] === process) end++;
    text += letterOf(process);
    if (end - i > 1) text += String(end - i);
    i = end;
  }
  return text;
}

function letterOf(process: number): string {
  return LETTERS[process] ?? `_${process}_`;
}

function parseSchedule(text: string): number[] {
  const schedule: number[] = [];
  const turn = /([a-zA-Z])(\d*)|_(\d+)_(\d*)/gy;
  while (turn.lastIndex < text.length) {
    const found = turn.exec(text);
    if (found === null) throw new SeedError('the seed is damaged: its schedule cannot be read');
    const process = found[1] === undefined ? Number(found[3]) : LETTERS.indexOf(found[1]);
    const steps = Number((found[1] === undefined ? found[4] : found[2]) || 1);
    for (let i = 0; i < steps; i++) schedule.push(process);
  }
  return schedule;
}

function escape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[.!'()*~]/g, percent)
    .replaceAll('%2F', '/');
}

function percent(sign: string): string {
  return `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
}

function unescape(text: string): string {
  return decodeURIComponent(text);
}

/** FNV-1a with a final mix, as eight hexadecimal digits. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return ((hash ^ (hash >>> 15)) >>> 0).toString(16).padStart(8, '0');
}
