/** Processes on a small machine, for the tests of processes and system calls. */
import { readLocal, runAlone } from '../../../src/shared/operations.ts';
import { reg, REG_VALUE } from '../../../src/hardware/vcpu.ts';
import { frameWordCount } from '../../../src/hardware/params.ts';
import { REG_SIGNO, REG_SI_CODE, SIGBUS, SIGSEGV } from '../../../src/linux/mm/fault-codes.ts';
import { contextSwitch } from '../../../src/linux/process/switch.ts';
import { copyProcess, spawnProcess } from '../../../src/linux/process/fork.ts';
import { sysSigaction } from '../../../src/linux/process/signal.ts';
import { SIG_HANDLER } from '../../../src/linux/process/signal-numbers.ts';
import { programLoad, programStore } from '../../../src/linux/process/user-mode.ts';
import { Task, currentTask } from '../../../src/linux/process/task.ts';

/** A first process with handlers for bad accesses, running on a vCPU. */
export function startProcess(v: number): number {
  const task = must(runAlone(spawnProcess(v)));
  runAlone(contextSwitch(v, task));
  runAlone(sysSigaction(v, SIGSEGV, SIG_HANDLER));
  runAlone(sysSigaction(v, SIGBUS, SIG_HANDLER));
  return task;
}

/** Fails the test's setup if a call did. @returns what it returned. */
export function must(status: number): number {
  if (status < 0) throw new Error(`the setup failed with ${status}`);
  return status;
}

/** fork(2) of the task of a vCPU. @returns the child, which no vCPU runs. */
export function fork(v: number): number {
  return must(runAlone(copyProcess(v, 0)));
}

/** Lets a vCPU run a task for one call, and go back to its own. */
export function as<T>(v: number, task: number, body: () => T): T {
  const own = currentTask(v);
  runAlone(contextSwitch(v, task));
  const result = body();
  runAlone(contextSwitch(v, own));
  return result;
}

/** The address of a page. */
export function at(vpn: number, offset = 0): number {
  return vpn * frameWordCount() + offset;
}

/** A load by the program: its value, or "signal/si_code". */
export function load(v: number, vpn: number, offset = 0): number | string {
  if (runAlone(programLoad(v, at(vpn, offset))) === 0) return reg(v, REG_VALUE);
  return `${reg(v, REG_SIGNO)}/${reg(v, REG_SI_CODE)}`;
}

/** A store by the program: 0, or "signal/si_code". */
export function store(v: number, vpn: number, value: number, offset = 0): number | string {
  if (runAlone(programStore(v, at(vpn, offset), value)) === 0) return 0;
  return `${reg(v, REG_SIGNO)}/${reg(v, REG_SI_CODE)}`;
}

/** The address space of a task. */
export function mmOf(task: number): number {
  return readLocal(Task.mm.at(task));
}
