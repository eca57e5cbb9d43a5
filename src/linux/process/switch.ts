/**
 * Which task a vCPU runs (kernel/sched/core.c: context_switch()). Nobody schedules here: whoever
 * poses a scene says when a vCPU turns to another task.
 *
 * 1. the next task's address space (switch_mm). 2. `current`, with its table of open files.
 */
import type { Op } from '../../shared/op.ts';
import { read, writeLocal } from '../../shared/operations.ts';
import { NO_FILES, setCurrentFiles } from '../fs/files-struct.ts';
import { NO_MM } from '../mm/mm.ts';
import { switchMm } from '../mm/mm-life.ts';
import { CurrentTask, NO_TASK, Task } from './task.ts';

/**
 * kernel/sched/core.c: context_switch().
 * @param v - vCPU of the task's domain. @param next - task that no vCPU runs, or NO_TASK for the
 *   kernel alone.
 */
export function* contextSwitch(v: number, next: number): Op<void> {
  if (next === NO_TASK) {
    yield* switchMm(v, NO_MM);
    setCurrentFiles(v, NO_FILES);
  } else {
    yield* switchMm(v, yield* read(Task.mm.at(next)));
    setCurrentFiles(v, yield* read(Task.files.at(next)));
  }
  writeLocal(CurrentTask.value.at(v), next + 1);
}
