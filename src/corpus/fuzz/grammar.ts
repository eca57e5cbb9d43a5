/**
 * The grammar of fuzzed programs: for each opcode its letter, its name, who may perform it, and the
 * range of each operand. Codec, generator, shrinker and reports read it here.
 */
import {
  FUZZ_ANONYMOUS,
  FUZZ_BALLOON_IN,
  FUZZ_BALLOON_OUT,
  FUZZ_DONTNEED,
  FUZZ_END,
  FUZZ_END_DEFERRED,
  FUZZ_FREE_PAGE,
  FUZZ_GRANT,
  FUZZ_GUP,
  FUZZ_GUP_FAST,
  FUZZ_LOAD,
  FUZZ_MAP,
  FUZZ_MPROTECT,
  FUZZ_MREMAP,
  FUZZ_MUNMAP,
  FUZZ_NEW_PAGE,
  FUZZ_NOTIFY,
  FUZZ_PUT,
  FUZZ_STAMP,
  FUZZ_STORE,
  FUZZ_TOUCH,
  FUZZ_UNMAP_IOCTL,
} from './opcodes.ts';

/** Whose thread: of the process that maps, or of the kernel that grants. */
export type Side = 'process' | 'granter';

/** An operand: its least and its greatest value, one digit each. */
export interface Operand {
  readonly name: string;
  readonly least: number;
  readonly most: number;
}

export interface Operation {
  readonly op: number;
  readonly letter: string;
  readonly name: string;
  readonly sides: readonly Side[];
  readonly operands: readonly Operand[];
  /** How often the generator picks it, compared with others. */
  readonly weight: number;
}

/** One step: an operation and a value for each of its operands. */
export interface Step {
  readonly op: number;
  readonly values: readonly number[];
}

/** The steps of one thread. */
export interface Thread {
  readonly side: Side;
  readonly steps: readonly Step[];
}

/** A program: maps that exist before it begins, and its threads. */
export interface FuzzProgram {
  readonly prologue: readonly Step[];
  readonly threads: readonly Thread[];
}

/** Threads of each side at most: as many as the machine has workers in a domain. */
export const MOST_THREADS: Readonly<Record<Side, number>> = { process: 3, granter: 2 };
/** Threads of a program at most. */
export const MOST_ACTORS = 4;
/** Steps of a thread at most, and of the prologue. */
export const MOST_STEPS = 16;

const page: Operand = { name: 'page', least: 0, most: 7 };
const count: Operand = { name: 'count', least: 1, most: 3 };
const slot: Operand = { name: 'slot', least: 0, most: 2 };
const grant: Operand = { name: 'grant', least: 0, most: 3 };
const own: Operand = { name: 'own page', least: 0, most: 2 };
const flag = (name: string): Operand => ({ name, least: 0, most: 1 });
const keeps = flag('keeps');

const PROCESS: readonly Side[] = ['process'];
const GRANTER: readonly Side[] = ['granter'];
const EITHER: readonly Side[] = ['process', 'granter'];

type Row = readonly [number, string, string, readonly Side[], number, ...(readonly Operand[])];

const rows: readonly Row[] = [
  [FUZZ_MAP, 'm', 'map', PROCESS, 6, slot, grant, count, page, flag('readonly')],
  [FUZZ_MUNMAP, 'u', 'munmap', PROCESS, 6, page, count],
  [FUZZ_MPROTECT, 'p', 'mprotect', PROCESS, 3, page, count, { name: 'access', least: 0, most: 2 }],
  [FUZZ_DONTNEED, 'z', 'dontneed', PROCESS, 4, page, count],
  [FUZZ_MREMAP, 'r', 'mremap', PROCESS, 3, page, count, { name: 'to', least: 0, most: 7 }],
  [FUZZ_ANONYMOUS, 'a', 'anonymous', PROCESS, 1, page, count],
  [FUZZ_GUP_FAST, 'g', 'gup-fast', PROCESS, 8, page, flag('write'), keeps],
  [FUZZ_GUP, 's', 'gup', PROCESS, 4, page, flag('write'), keeps],
  [FUZZ_TOUCH, 'k', 'touch', PROCESS, 4],
  [FUZZ_PUT, 'x', 'put', PROCESS, 2],
  [FUZZ_LOAD, 'l', 'load', PROCESS, 3, page],
  [FUZZ_STORE, 'w', 'store', PROCESS, 3, page],
  [FUZZ_UNMAP_IOCTL, 'i', 'unmap-ioctl', PROCESS, 3, slot],
  [FUZZ_NOTIFY, 'n', 'notify', PROCESS, 2, slot, own, flag('clear')],
  [FUZZ_GRANT, 'h', 'grant', GRANTER, 4, grant, own, flag('readonly')],
  [FUZZ_END, 'e', 'end', GRANTER, 5, grant],
  [FUZZ_END_DEFERRED, 'd', 'end-deferred', GRANTER, 3, grant, flag('gives page')],
  [FUZZ_STAMP, 't', 'stamp', GRANTER, 2, own],
  [FUZZ_FREE_PAGE, 'f', 'free-page', GRANTER, 2, own],
  [FUZZ_NEW_PAGE, 'y', 'new-page', GRANTER, 2, own],
  [FUZZ_BALLOON_OUT, 'o', 'balloon-out', EITHER, 1],
  [FUZZ_BALLOON_IN, 'c', 'balloon-in', EITHER, 1],
];

/** Every operation. */
export const operations: readonly Operation[] = rows.map(
  ([op, letter, name, sides, weight, ...operands]) => ({
    op,
    letter,
    name,
    sides,
    weight,
    operands,
  }),
);

const byOp: ReadonlyMap<number, Operation> = new Map(operations.map((one) => [one.op, one]));

/** The operation of an opcode. */
export function operationOf(op: number): Operation {
  const found = byOp.get(op);
  if (found === undefined) throw new RangeError(`no operation ${op}`);
  return found;
}

/** Operations that a side may perform. */
export function operationsOf(side: Side): readonly Operation[] {
  return operations.filter(({ sides }) => sides.includes(side));
}
