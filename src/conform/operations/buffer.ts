/** Buffers of system calls: where they are, how long, and what a program puts there before. */
import { writeLocal } from '../../shared/operations.ts';
import type { Fields } from '../recording.ts';
import { Argument, PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { OpenFile, Process } from '../world.ts';
import type { Call } from './arguments.ts';

/** A range of a program's memory. */
export interface Buffer {
  readonly vpn: number;
  /** Is it the program's alone? */
  readonly own: boolean;
}

/** Where iovecs lie among the words for arguments. */
const IOVECS = 512;
/** Bytes of a call that failed and of which the recording tells no more. */
const SOME_BYTES = 16;

/** A page's address. */
export function addressOf(vpn: number): number {
  return vpn * PAGE_BYTES;
}

/** struct iovec[]. @param list - address and bytes of each. @returns its word. */
export function iovec(list: readonly (readonly [number, number])[], at = IOVECS): number {
  const first = Argument.value.at(at);
  list.flat().forEach((word, i) => writeLocal(first + i, word));
  return first;
}

/**
 * How many bytes a call asks for: what the step says; else what is in the file that it reads, or
 * less, if less came. Only a call of which nothing else tells the count asked for what it got.
 * @param source - file that the call reads, if it reads one.
 */
export function bytesAsked(scene: Scene, { step }: Call, source?: OpenFile): number {
  for (const key of ['bytes', 'len', 'count']) {
    const told = step.args[key];
    if (typeof told === 'number') return told;
  }
  const pages = step.args['pages'];
  if (typeof pages === 'number') return pages * PAGE_BYTES;
  const came = step.result !== null && step.result > 0 ? step.result : 0;
  const there = source?.filled ?? 0;
  if (there > 0 && came < there && came > 0) return scene.choose([there, came], 'a count');
  if (there > 0 && came <= there) return there;
  return came > 0 ? came : SOME_BYTES;
}

const BUFFERS = /\b(mapping|map ?\d+|fd ?\d+ mapping|local|anonymous|granter|buffer)\b/;

/** The words of a step that name its buffer. @param otherwise - where none do. */
export function wordsFor({ operation, step }: Call, otherwise = 'mapping'): string {
  const told = step.args['buffer'] ?? step.args['target'];
  if (typeof told === 'string') return told;
  const texts = [...operation.operands.toReversed(), operation.rest];
  const found = texts.find((text) => BUFFERS.test(text));
  if (found === undefined) return otherwise;
  if (/\b(gntalloc|granter)\b/.test(found)) return 'granter';
  if (/\banonymous|local\b/.test(found)) return 'local';
  return found;
}

/**
 * A program puts bytes that the recording does not tell into its own memory; what a step of the
 * recording has written there stays.
 */
export function fillAnew(scene: Scene, process: Process, vpn: number, bytes: number): void {
  for (let from = 0; from < bytes; from += PAGE_BYTES) {
    if (process.written.has(vpn + from / PAGE_BYTES)) continue;
    const symbol = scene.symbols.fresh(true);
    scene.guest.fill(process.v, vpn, from, Math.min(PAGE_BYTES, bytes - from), symbol);
  }
}

/** The bytes of a buffer that a recording shows: `byte0`, `byte4096`. */
export function seenIn(scene: Scene, { step, process }: Call, vpn: number): Fields {
  const seen: Record<string, unknown> = {};
  for (const key of Object.keys(step.observed ?? {})) {
    const offset = Number(/^byte(\d+)$/.exec(key)?.[1] ?? NaN);
    if (Number.isNaN(offset)) continue;
    const page = vpn + Math.floor(offset / PAGE_BYTES);
    seen[key] = scene.guest.load(process.v, page, offset % PAGE_BYTES);
  }
  return seen;
}
