/**
 * Goal: a signal is lost only if it is ignored, reaches the handler or ends the task, and a parent
 * that waits always learns of its child's end.
 * Method: single cases of sigaction, masks and kill; parent and child on two vCPUs under PCT and
 * TSO.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { reg } from '../../../src/hardware/vcpu.ts';
import { ECHILD, EINVAL, ERESTARTSYS, ESRCH } from '../../../src/linux/errno.ts';
import { SIGBUS, SIGKILL, SIGSEGV } from '../../../src/linux/mm/fault-codes.ts';
import { sysExit } from '../../../src/linux/process/exit.ts';
import {
  exitToUserMode,
  sendSignal,
  sysKill,
  sysSigaction,
  sysSigsetmask,
} from '../../../src/linux/process/signal.ts';
import {
  SIGCHLD,
  SIGPIPE,
  SIGTERM,
  SIG_DFL,
  SIG_HANDLER,
  SIG_IGN,
  sigmask,
} from '../../../src/linux/process/signal-numbers.ts';
import { contextSwitch } from '../../../src/linux/process/switch.ts';
import { NO_TASK, Task, TaskPool, currentTask } from '../../../src/linux/process/task.ts';
import { REG_WAIT_STATUS, WNOHANG, sysWait4 } from '../../../src/linux/process/wait.ts';
import type { Op } from '../../../src/shared/op.ts';
import { readLocal, runAlone } from '../../../src/shared/operations.ts';
import { bootedMachine } from '../mm/machine.ts';
import { race } from '../mm/race.ts';
import { as, fork, load, startProcess } from './scene.ts';

const V = 0;
const OTHER = 1;
const sizes = { tablePages: 12, ptFrames: 40, mms: 6, tasks: 6 };
let machine: ReturnType<typeof bootedMachine>;
let task = 0;

beforeEach(() => {
  machine = bootedMachine(sizes);
  task = startProcess(V);
});

const pidOf = (other: number) => readLocal(Task.pid.at(other));
const frame = () => readLocal(Task.frameSigno.at(task));
const action = (signo: number, what: number) => runAlone(sysSigaction(V, signo, what));
const kill = (signo: number) => runAlone(sysKill(V, pidOf(task), signo));

describe('a signal', () => {
  test('enters its handler, is ignored, or ends the task', () => {
    expect([kill(32), kill(-1), runAlone(sysKill(V, 99, 1))]).toEqual([-EINVAL, -EINVAL, -ESRCH]);
    expect(kill(0)).toBe(0);
    action(SIGTERM, SIG_HANDLER);
    kill(SIGTERM);
    expect([runAlone(exitToUserMode(V)), frame()]).toEqual([0, SIGTERM]);
    action(SIGTERM, SIG_IGN);
    kill(SIGTERM);
    expect(readLocal(Task.sigPending.at(task))).toBe(0);
    kill(SIGCHLD);
    expect(runAlone(exitToUserMode(V))).toBe(0);
    action(SIGTERM, SIG_DFL);
    kill(SIGTERM);
    expect([runAlone(exitToUserMode(V)), currentTask(V)]).toEqual([SIGTERM, NO_TASK]);
  });

  test('waits while it is blocked, but not SIGKILL', () => {
    expect(runAlone(sysSigsetmask(V, -1))).toBe(0);
    kill(SIGPIPE);
    expect(runAlone(exitToUserMode(V))).toBe(0);
    expect(action(SIGKILL, SIG_IGN)).toBe(-EINVAL);
    kill(SIGKILL);
    expect(runAlone(exitToUserMode(V))).toBe(SIGKILL);
  });

  test('of a bad access ends a task that blocks or ignores it', () => {
    for (const how of ['block', 'ignore', 'default']) {
      bootedMachine(sizes);
      task = startProcess(V);
      if (how === 'block') runAlone(sysSigsetmask(V, sigmask(SIGSEGV)));
      if (how === 'ignore') action(SIGSEGV, SIG_IGN);
      if (how === 'default') action(SIGSEGV, SIG_DFL);
      expect([load(V, 5), currentTask(V)]).toEqual(['11/1', NO_TASK]);
    }
  });

  test('of a bad access leaves its code with the handler, before others', () => {
    action(SIGTERM, SIG_HANDLER);
    load(V, 5);
    expect([frame(), readLocal(Task.frameCode.at(task))]).toEqual([SIGSEGV, 1]);
    action(SIGBUS, SIG_HANDLER);
    kill(SIGTERM);
    kill(SIGBUS);
    runAlone(exitToUserMode(V));
    // Both handlers were entered, SIGBUS' first: the last frame is SIGTERM's.
    expect([frame(), readLocal(Task.sigPending.at(task))]).toEqual([SIGTERM, 0]);
  });
});

describe('wait', () => {
  const wait = (pid: number, options = WNOHANG) => runAlone(sysWait4(V, pid, options));

  test('finds children that have ended, once', () => {
    expect([wait(-1), wait(-1, 8)]).toEqual([-ECHILD, -EINVAL]);
    const children = [fork(V), fork(V)];
    const pids = children.map(pidOf);
    expect(wait(-1)).toBe(0);
    as(V, children[1] as number, () => runAlone(sysExit(V, 0x107)));
    expect([wait(pids[0] as number), wait(pids[1] as number)]).toEqual([0, pids[1]]);
    expect(reg(V, REG_WAIT_STATUS)).toBe(0x700);
    expect(wait(pids[1] as number)).toBe(-ECHILD);
    as(V, children[0] as number, () => runAlone(sysExit(V, 0)));
    expect([wait(-1), wait(-1)]).toEqual([pids[0], -ECHILD]);
  });

  test('ends with a signal that has a handler', () => {
    fork(V);
    action(SIGTERM, SIG_HANDLER);
    kill(SIGTERM);
    expect(wait(-1, 0)).toBe(-ERESTARTSYS);
  });

  test('is not needed where SIGCHLD is ignored, or the parent is gone', () => {
    action(SIGCHLD, SIG_IGN);
    as(V, fork(V), () => runAlone(sysExit(V, 0)));
    expect(wait(-1)).toBe(-ECHILD);
    action(SIGCHLD, SIG_DFL);
    const [zombie, orphan] = [fork(V), fork(V)];
    as(V, zombie, () => runAlone(sysExit(V, 0)));
    runAlone(sysExit(V, 0));
    runAlone(contextSwitch(V, orphan));
    runAlone(sysExit(V, 0));
    expect(readLocal(TaskPool.value.word)).toBe(0);
  });
});

describe.each(['sc', 'tso'] as const)('under %s', (memory) => {
  test('a parent that waits learns of its child’s end', () => {
    const child = fork(V);
    runAlone(contextSwitch(OTHER, child));
    const pid = pidOf(child);
    function* parent(): Op<void> {
      const got = yield* sysWait4(V, -1, 0);
      if (got !== pid) throw new Error(`wait4: ${got}`);
    }
    const result = race({
      machine,
      memory,
      threads: { 0: () => parent(), 1: () => sysExit(OTHER, 0) },
      final: () => (readLocal(TaskPool.value.word) === 1 << task ? null : 'tasks'),
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });

  test('two signals that come at once both wait', () => {
    runAlone(sysSigsetmask(V, -1));
    const both = sigmask(SIGTERM) | sigmask(SIGPIPE);
    const result = race({
      machine,
      memory,
      threads: {
        1: () => sendSignal(task, SIGTERM),
        2: () => sendSignal(task, SIGPIPE),
      },
      final: () => (readLocal(Task.sigPending.at(task)) === both ? null : 'a signal is lost'),
      executions: 200,
    });
    expect(result.finding).toBeUndefined();
  });
});
