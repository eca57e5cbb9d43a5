/** The tables of processes and their default sizes. */
import type { AnyTable } from '../../shared/table.ts';
import { CurrentTask, Task, TaskPool, Tasklist } from './task.ts';

export const processTables: readonly AnyTable[] = [Task, TaskPool, Tasklist, CurrentTask];

/** Sizes that this room adds to a configuration: enough for a tiny machine. */
export const processDefaults = {
  /** Processes of the machine, zombies included. */
  tasks: 4,
  taskWords: 1,
} as const;
