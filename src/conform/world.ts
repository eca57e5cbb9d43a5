/** What the test programs of a recording have: processes, open files, grants, maps, mappings. */

/** Why a step cannot be played: something that the simulated guest does not have. */
export class Unsupported extends Error {}

export type FileKind =
  'gntdev' | 'gntalloc' | 'evtchn' | 'privcmd' | 'pipe' | 'file' | 'device' | 'procmem' | 'ring';

/** An open file of a process. */
export interface OpenFile {
  readonly kind: FileKind;
  /** Number of the descriptor. */
  readonly fd: number;
  /** Its place among the files of its kind in the case, from 1. */
  readonly serial: number;
  /** What is behind it where several can be: a path, an end of a pipe. */
  readonly name: string;
  open: boolean;
  /** Was anything done with it? */
  used: boolean;
  /** Of a pipe: its other end. */
  readonly writeFd: number;
  /** Bytes that steps have put in: what is in a pipe, where a file ends. */
  filled: number;
}

/** A map that MAP_GRANT_REF made. */
export interface GrantMap {
  readonly file: OpenFile;
  /** Offset in the file, in pages. */
  readonly index: number;
  readonly refs: readonly number[];
  readonly pages: number;
  /** Its place among the maps of the case, from 1. */
  readonly serial: number;
  mapped: boolean;
}

/** A range of addresses that a test program thinks of as one thing. */
export interface Mapping {
  readonly vpn: number;
  readonly pages: number;
  /** The map behind it, none for other memory. */
  readonly map: GrantMap | undefined;
  /** Its place among the mappings of the case, from 1. */
  readonly serial: number;
  /** Made by mremap. */
  readonly moved: boolean;
  /** Pages that the program has unmapped or moved away. */
  readonly gone: Set<number>;
}

/** Pages granted by one call. */
export interface Allocation {
  readonly kind: 'gntalloc' | 'remote';
  readonly serial: number;
  readonly count: number;
  readonly refs: readonly number[];
  /** gntalloc: where the granter has them mapped; remote: page of the granting domain's first. */
  readonly vpn: number;
  readonly pages: readonly number[];
  readonly file: OpenFile | undefined;
  readonly readonly: boolean;
}

/** A test process on a vCPU of its own. */
export interface Process {
  readonly actor: string;
  readonly v: number;
  readonly files: OpenFile[];
  readonly maps: GrantMap[];
  readonly mappings: Mapping[];
  readonly allocations: Allocation[];
  /** Private memory of the program. */
  local: Mapping | undefined;
  /** Pages of it, and of anonymous mappings, that a step of the recording has written. */
  readonly written: Set<number>;
  /** Context for asynchronous I/O, -1 if there is none. */
  aio: number;
  /** Text of the program's last note, until its next step. */
  words: string;
}

/** A handle that a hypercall gave. */
export interface Handle {
  readonly handle: number;
  readonly devBusAddr: number;
  live: boolean;
}

/** The files of a kind that are open, the last one first. */
export function openFiles(process: Process, kind: FileKind): OpenFile[] {
  return process.files.filter((file) => file.kind === kind && file.open).toReversed();
}

/** Does the program still use a part of this range? */
export function hasPages(mapping: Mapping, first: number, pages: number): boolean {
  for (let i = first; i < first + pages; i++) {
    if (i < mapping.pages && !mapping.gone.has(i)) return true;
  }
  return false;
}
