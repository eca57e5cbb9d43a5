/** A process with open files and a grant mapping, for the tests of files and page holders. */
import { FIND_NORMAL_PAGE } from '../../../src/linux/designs/design.ts';
import { pageBytes } from '../../../src/linux/fs/copy-bytes.ts';
import { fileObject } from '../../../src/linux/fs/file.ts';
import { FdSlot, currentFiles } from '../../../src/linux/fs/files-struct.ts';
import { IOVEC_WORDS } from '../../../src/linux/fs/iov-iter.ts';
import { NODE_GNTDEV, sysOpen } from '../../../src/linux/fs/open.ts';
import { sysPipe2 } from '../../../src/linux/fs/pipe.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { currentMm } from '../../../src/linux/mm/mm-life.ts';
import type { Machine } from '../../../src/shared/layout.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import type { Config } from '../../../src/shared/table.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import type { Grant } from '../drivers/guests.ts';
import {
  GRANTER,
  TASK,
  bootGuests,
  grantPage,
  mapGrants,
  must,
  now,
  result,
} from '../drivers/guests.ts';
import { mapAnonymous } from '../mm/machine.ts';
import { at, load, mmOf, startProcess, store } from '../process/scene.ts';

/** Bytes of a page of the scene. */
export const PAGE = 8;
/** Where the grants are mapped, and anonymous memory of four pages. */
export const GRANTS = 2;
export const MEMORY = 8;

const sizes = {
  design: FIND_NORMAL_PAGE,
  frameWords: PAGE,
  frames: 160,
  pagesPerDomain: 64,
  kernelBase: 64,
  ptShift: 4,
  ptEntries: 16,
  tablePages: 24,
  ptFrames: 64,
  vmas: 32,
  vmaNodes: 64,
  arguments: 128,
};

export interface Scene {
  readonly machine: Machine;
  readonly grants: readonly Grant[];
  readonly mm: number;
}

/** Runs a call of the kernel alone. */
export const run = (op: Op): number => runAlone(op);

/**
 * A process on TASK with anonymous memory, which maps `count` grants; page i of the granter is
 * filled with 160 + i.
 */
export function processWithGrants(count: number, more: Config = {}): Scene {
  const machine = bootGuests({ ...sizes, ...more });
  const mm = mmOf(startProcess(TASK));
  const grants = Array.from({ length: count }, () => grantPage());
  const fd = must(run(sysOpen(TASK, NODE_GNTDEV, 0)));
  const refs = grants.map(({ ref }) => ref);
  if (count > 0) mapGrants(mm, refs, GRANTS, recordOf(fd));
  for (let i = 0; i < count; i++) fill(GRANTS + i, 160 + i);
  mapAnonymous(TASK, mm, MEMORY, 4);
  return { machine, grants, mm };
}

/** The record of a descriptor's file. */
export function recordOf(fd: number): number {
  return fileObject(now(FdSlot.value.at2(currentFiles(TASK), fd)));
}

/** Stores the same value into every byte of a page of the process. */
export function fill(vpn: number, value: number): void {
  for (let i = 0; i < pageBytes(); i++) must(store(TASK, vpn, value, i) === 0 ? 0 : -1);
}

/** The bytes of a range of the process. */
export function bytesAt(vpn: number, count: number, offset = 0): (number | string)[] {
  return Array.from({ length: count }, (_, i) => {
    const byte = offset + i;
    return load(TASK, vpn + Math.floor(byte / PAGE), byte % PAGE);
  });
}

/** A pipe of the process. */
export function newPipe(flags = 0): { reader: number; writer: number } {
  must(run(sysPipe2(TASK, result(0), flags)));
  return { reader: now(result(0)), writer: now(result(1)) };
}

/** struct iovec records. @returns word of the first. */
export function iovec(...records: readonly (readonly [number, number])[]): number {
  records.forEach(([address, bytes], i) => {
    writeLocal(result(8 + i * IOVEC_WORDS), address);
    writeLocal(result(9 + i * IOVEC_WORDS), bytes);
  });
  return result(8);
}

export function unmap(vpn: number, count: number): void {
  must(run(doMunmap(TASK, currentMm(TASK), vpn, count)));
}

/** The pin count of a grant, as the hypervisor has it. */
export function pinOf({ ref }: Grant): number {
  return now(ActiveEntry.pin.at2(GRANTER, ref));
}

export { at, must, now, result, TASK };
