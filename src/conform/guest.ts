/**
 * The guest as a test program meets it: processes on vCPUs, system calls with descriptors, loads
 * and stores with the signals that they raise. Each function runs to its end on the stage.
 */
import { REG_VALUE, reg } from '../hardware/vcpu.ts';
import * as errno from '../linux/errno.ts';
import { sysClose } from '../linux/fs/fd-table.ts';
import { sysIoctl } from '../linux/fs/ioctl.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../linux/syscall/mman.ts';
import { sysMmap } from '../linux/syscall/mmap.ts';
import { O_DIRECT, O_NONBLOCK, O_RDWR } from '../linux/fs/file.ts';
import {
  NODE_EVTCHN,
  NODE_GNTALLOC,
  NODE_GNTDEV,
  NODE_LOOP0,
  NODE_PRIVCMD,
  NODE_RAM0,
  NODE_TMPFILE,
  sysOpen,
  sysOpenProcMem,
} from '../linux/fs/open.ts';
import { sysPipe2 } from '../linux/fs/pipe.ts';
import { mem } from '../shared/memory.ts';
import { REG_SIGNO, REG_SI_CODE } from '../linux/mm/fault-codes.ts';
import { sysExecve } from '../linux/process/exec.ts';
import { sysExit } from '../linux/process/exit.ts';
import { copyProcess, spawnProcess } from '../linux/process/fork.ts';
import { SIG_HANDLER } from '../linux/process/signal-numbers.ts';
import { sendSignal, exitToUserMode, sysSigaction } from '../linux/process/signal.ts';
import { contextSwitch } from '../linux/process/switch.ts';
import { NO_TASK, Task, currentTask } from '../linux/process/task.ts';
import { programLoad, programStore } from '../linux/process/user-mode.ts';
import type { Op } from '../shared/op.ts';
import { writeLocal } from '../shared/operations.ts';
import { Argument, PAGE_BYTES } from './machine.ts';
import type { Seen } from './compare.ts';
import type { Stage } from './stage.ts';
import type { FileKind } from './world.ts';
import { Unsupported } from './world.ts';

/** Where a program is loaded. */
const PROGRAM_VPN = 0x40;
/** First address that test programs use, and what lies between two ranges: pages. */
const FIRST_VPN = 0x100;
const GAP = 16;

const SIGNAL_NAMES: Readonly<Record<number, string>> = { 7: 'SIGBUS', 11: 'SIGSEGV' };
/** si_code of SIGSEGV and SIGBUS. */
const CODE_NAMES: Readonly<Record<string, string>> = {
  '11/1': 'SEGV_MAPERR',
  '11/2': 'SEGV_ACCERR',
  '7/2': 'BUS_ADRERR',
};

const ERRNO_NAMES = new Map(Object.entries(errno).map(([name, value]) => [value, name]));

/** The name of an error number. @param code - positive. */
export function errnoName(code: number): string {
  return ERRNO_NAMES.get(code) ?? `errno ${code}`;
}

/** A system call's result as a program sees it. @param status - what the kernel returned. */
export function resultOf(status: number, observed?: Seen['observed']): Seen {
  if (status < 0) return { result: -1, errno: errnoName(-status), ...(observed && { observed }) };
  return { result: status, errno: null, ...(observed && { observed }) };
}

/** rwx as mmap's and mprotect's argument: "rw-", "---". @returns PROT_*. */
export function protection(text: string): number {
  const read = text.includes('r') ? PROT_READ : 0;
  const write = text.includes('w') ? PROT_WRITE : 0;
  return read | write | (text.includes('x') ? PROT_EXEC : 0);
}

const NODES: Readonly<Record<string, number>> = {
  gntdev: NODE_GNTDEV,
  gntalloc: NODE_GNTALLOC,
  privcmd: NODE_PRIVCMD,
  evtchn: NODE_EVTCHN,
  file: NODE_TMPFILE,
  ram0: NODE_RAM0,
  loop0: NODE_LOOP0,
};

export class Guest {
  readonly stage: Stage;
  private nextVpn = FIRST_VPN;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  call(body: Op): number {
    return this.stage.call(body);
  }

  /** A process without a parent, on a vCPU. */
  spawn(v: number): void {
    this.start(v, this.call(spawnProcess(v)));
    this.loadProgram(v);
  }

  /** The program itself, below all that it maps. */
  private loadProgram(v: number): void {
    this.mmap(v, PROGRAM_VPN, 1, protection('r--'), false, -1, 0);
  }

  /** A child of the process of one vCPU, on another. */
  fork(v: number, child: number): void {
    this.start(child, this.call(copyProcess(v, 0)));
  }

  private start(v: number, task: number): void {
    if (task < 0) throw new Error(`no process can be made: ${errnoName(-task)}`);
    this.stage.call(contextSwitch(v, task));
    for (const signo of [7, 11]) this.call(sysSigaction(v, signo, SIG_HANDLER));
  }

  /** Is there a process on the vCPU? */
  isAlive(v: number): boolean {
    return currentTask(v) !== NO_TASK;
  }

  exit(v: number): void {
    if (this.isAlive(v)) this.stage.call(sysExit(v, 0));
  }

  kill(v: number): void {
    if (!this.isAlive(v)) return;
    this.stage.call(sendSignal(currentTask(v), 9));
    this.call(exitToUserMode(v));
  }

  exec(v: number): void {
    this.call(sysExecve(v));
    this.loadProgram(v);
  }

  /** open(2), pipe(2). @param name - of a device; of a process for its memory. */
  open(v: number, kind: FileKind, name: string): { fd: number; writeFd: number } {
    if (kind === 'pipe') return this.pipe(v);
    const flags = O_RDWR | (kind === 'evtchn' ? O_NONBLOCK : 0);
    const direct = name.endsWith(' direct') ? O_DIRECT : 0;
    const node = NODES[kind === 'device' ? (name.split(' ')[0] ?? '') : kind];
    let fd: number;
    if (kind === 'procmem' && name === 'self') {
      fd = this.call(sysOpenProcMem(v, mem[Task.pid.at(currentTask(v))] as number, O_RDWR));
    } else if (node !== undefined) {
      fd = this.call(sysOpen(v, node, flags | direct));
    } else {
      throw new Unsupported(`open of ${kind} ${name}`);
    }
    if (fd < 0) throw new Unsupported(`open of ${kind} ${name}: ${errnoName(-fd)}`);
    return { fd, writeFd: -1 };
  }

  private pipe(v: number): { fd: number; writeFd: number } {
    const out = Argument.value.at(0);
    const status = this.call(sysPipe2(v, out, 0));
    if (status < 0) throw new Unsupported(`a pipe: ${errnoName(-status)}`);
    return { fd: mem[out] as number, writeFd: mem[out + 1] as number };
  }

  close(v: number, fd: number): number {
    return this.call(sysClose(v, fd));
  }

  /** ioctl(2). @param words - the argument; null: NULL. What comes back is in the same words. */
  ioctl(v: number, fd: number, cmd: number, words: readonly number[] | null): number {
    words?.forEach((word, i) => writeLocal(Argument.value.at(i), word));
    return this.call(sysIoctl(v, fd, cmd, words === null ? 0 : Argument.value.at(0)));
  }

  /** A fresh range of addresses. @returns its first vpn. */
  reserve(pages: number): number {
    const vpn = this.nextVpn;
    this.nextVpn += pages + GAP;
    return vpn;
  }

  /** mmap(2). @param fd - file, -1: anonymous memory. @returns vpn or a negative errno. */
  mmap(
    v: number,
    vpn: number,
    pages: number,
    prot: number,
    shared: boolean,
    fd: number,
    pgoff: number,
  ): number {
    const anonymous = fd < 0 ? MAP_ANONYMOUS : 0;
    const flags = MAP_FIXED | anonymous | (shared ? MAP_SHARED : MAP_PRIVATE);
    const [address, length, offset] = [vpn, pages, pgoff].map((n) => n * PAGE_BYTES);
    const body = sysMmap(v, address ?? 0, length ?? 0, prot, flags, fd, offset ?? 0);
    return this.call(body);
  }

  /** A byte that the program reads, or the signal that it gets. */
  load(v: number, vpn: number, offset: number): number | string {
    const status = this.call(programLoad(v, vpn * PAGE_BYTES + offset));
    return status === 0 ? reg(v, REG_VALUE) : signalText(v);
  }

  /** A byte that the program writes. @returns null, or the signal that it gets. */
  store(v: number, vpn: number, offset: number, value: number): string | null {
    const status = this.call(programStore(v, vpn * PAGE_BYTES + offset, value));
    return status === 0 ? null : signalText(v);
  }

  /** Fills a range of the program's own memory. */
  fill(v: number, vpn: number, from: number, length: number, value: number): void {
    for (let i = from; i < from + length; i++) {
      const page = vpn + Math.floor(i / PAGE_BYTES);
      const signal = this.store(v, page, i % PAGE_BYTES, value);
      if (signal !== null) throw new Error(`a program cannot write its own memory: ${signal}`);
    }
  }
}

function signalText(v: number): string {
  const signo = reg(v, REG_SIGNO);
  const code = reg(v, REG_SI_CODE);
  const name = SIGNAL_NAMES[signo] ?? `signal ${signo}`;
  return `${name}/${CODE_NAMES[`${signo}/${code}`] ?? code}`;
}
