/**
 * What the programs of a vCPU keep between iterations, as a task does on its stack and in its
 * process: constants after boot, and words that only this vCPU uses.
 */
import { Params } from '../hardware/params.ts';
import type { Op } from '../shared/op.ts';
import { choose, readLocal } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';

export const Task = defineTable(
  '%v.task',
  ['vcpus'],
  {
    program: '[BOOT] PROGRAM_* that it runs, 0 for none',
    channel: '[BOOT] channel of a frontend, -1 otherwise',
    portMask: '[BOOT] event-channel ports that it waits for, as bits',
    mm: '[BOOT] address space, -1 for a kernel thread',
    fd: '[BOOT] its open gntdev file, -1 if none',
    lastChannel: '[SELF] backend: the channel that was served last',
    generation: '[SELF] frontend: pages filled so far',
    index: '[SELF] page offset of the map in use',
  },
  { lineAligned: true },
);

/** Per page of the request in hand. */
export const TaskPage = defineTable('%v.task.page[%]', ['vcpus', 'segments'], {
  value: '[SELF] ballooned page, or page that get_user_pages returned',
});

/** struct ioctl_gntdev_grant_ref of the map in hand. */
export const TaskGrant = defineTable('%v.task.grant[%]', ['vcpus', 'segments'], {
  domid: '[SELF] who grants it',
  ref: '[SELF] grant reference',
});

/** A choice of data; no point if there is nothing to choose. @returns a number in [0, count). */
export function* pick(count: number): Op {
  return count > 1 ? yield* choose(count) : 0;
}

/** Do workloads map some frames twice? */
export function mapsTwice(): boolean {
  return readLocal(Params.secondMapping.word) !== 0;
}

/** Does the network stack read pages after the completion was reported? */
export function dmaIsLate(): boolean {
  return readLocal(Params.lateDma.word) !== 0;
}

/** Do workloads split mappings? */
export function splitsMappings(): boolean {
  return readLocal(Params.split.word) !== 0;
}
