/** System calls that reach the pages behind a mapping from outside: GUP in its many callers. */
import {
  IOCB_BUF,
  IOCB_CMD_PREAD,
  IOCB_CMD_PWRITE,
  IOCB_FILDES,
  IOCB_NBYTES,
  IOCB_OFFSET,
  IOCB_OPCODE,
  sysIoSetup,
  sysIoSubmit,
} from '../../linux/fs/aio.ts';
import { sysIoGetevents } from '../../linux/fs/aio-events.ts';
import {
  IORING_REGISTER_BUFFERS,
  IORING_UNREGISTER_BUFFERS,
  sysIoUringRegister,
  sysIoUringSetup,
} from '../../linux/fs/io-uring.ts';
import { sysProcessVmReadv, sysProcessVmWritev } from '../../linux/fs/process-vm.ts';
import {
  PTRACE_ATTACH,
  PTRACE_PEEKDATA,
  PTRACE_POKEDATA,
  ptraceWordBytes,
  sysPtrace,
} from '../../linux/process/ptrace.ts';
import { Task, currentTask } from '../../linux/process/task.ts';
import { mem } from '../../shared/memory.ts';
import { writeLocal } from '../../shared/operations.ts';
import type { Seen } from '../compare.ts';
import { resultOf } from '../guest.ts';
import { Argument, PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { Mapping, Process } from '../world.ts';
import { Unsupported, openFiles } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { numberOf } from './arguments.ts';
import { bufferOf, localMemory } from './access.ts';
import { addressOf, bytesAsked, fillAnew, iovec, seenIn, wordsFor } from './buffer.ts';
import { mediumOf } from './media.ts';

/** The pid of a process. */
function pidOf(process: Process): number {
  return mem[Task.pid.at(currentTask(process.v))] as number;
}

/** The process whose memory a step is about. */
function otherOf(scene: Scene, call: Call): Process {
  const text = `${call.operation.operands.join(' ')} ${call.operation.rest}`;
  if (/\bself\b/.test(text)) return call.process;
  const named = /\b([AB])'s\b/.exec(text)?.[1];
  return scene.process(named ?? (call.process.actor === 'A' ? 'B' : 'A'));
}

/** The last mapping that a process has made, or its granted pages. */
function remoteOf(scene: Scene, call: Call, other: Process, pages: number): number {
  const first = numberOf(call.step, 'firstPage', 0);
  if (/granter|gntalloc/.test(call.operation.rest))
    return scene.allocation(other, pages).vpn + first;
  const list: readonly Mapping[] = other.mappings.filter((one) => first + pages <= one.pages);
  return scene.choose(list.toReversed(), 'a mapping of the other process').vpn + first;
}

function processVm(writes: boolean): Handler {
  return (scene, call) => {
    const { process, step } = call;
    const other = otherOf(scene, call);
    const pages = numberOf(step, 'pages', 1);
    const bytes = pages * PAGE_BYTES;
    const remote = remoteOf(scene, call, other, pages);
    const { vpn } = localMemory(scene, process);
    if (writes) fillAnew(scene, process, vpn, bytes);
    const lvec = iovec([[addressOf(vpn), bytes]]);
    const rvec = iovec([[addressOf(remote), bytes]], 600);
    const body = writes
      ? sysProcessVmWritev(process.v, pidOf(other), lvec, 1, rvec, 1, 0)
      : sysProcessVmReadv(process.v, pidOf(other), lvec, 1, rvec, 1, 0);
    return resultOf(scene.guest.call(body), writes ? {} : seenIn(scene, call, vpn));
  };
}

/** "0xa0a0a0a0a0a0a0a0": a long, the lowest byte first in memory. */
function longText(scene: Scene, bytes: readonly number[]): string {
  const text = bytes.toReversed().map((byte) => {
    const shown = scene.symbols.show(byte);
    return typeof shown === 'number' ? shown.toString(16).padStart(2, '0') : '??';
  });
  return `0x${text.join('')}`;
}

/** The bytes of a long that a step pokes: "0x63..." tells the highest one, of eight the same. */
function pokedBytes(scene: Scene, value: unknown): number[] {
  const count = ptraceWordBytes();
  if (typeof value === 'number') {
    return Array.from({ length: count }, (_, i) => (i < 4 ? (value >>> (8 * i)) & 0xff : 0));
  }
  const text = /^0x([0-9a-f]+)/.exec(String(value))?.[1];
  if (text === undefined) return Array.from({ length: count }, () => scene.symbols.fresh());
  const told = text.match(/.{1,2}/g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  const highest = told[0] ?? 0;
  return Array.from({ length: count }, (_, i) => told[count - 1 - i] ?? highest);
}

function ptrace(scene: Scene, call: Call): Seen {
  const { process, operation, step } = call;
  const [request = ''] = operation.operands;
  const other = otherOf(scene, call);
  const pid = pidOf(other);
  const data = Argument.value.at(0);
  // The tracer attaches first, unseen.
  scene.guest.call(sysPtrace(process.v, PTRACE_ATTACH, pid, 0, 0));
  const address = addressOf(remoteOf(scene, call, other, 1));
  if (request === 'PEEKDATA' || request === 'PEEKTEXT') {
    const status = scene.guest.call(sysPtrace(process.v, PTRACE_PEEKDATA, pid, address, data));
    if (status < 0) return resultOf(status);
    const bytes = Array.from({ length: ptraceWordBytes() }, (_, i) => mem[data + i] as number);
    return resultOf(0, { word: longText(scene, bytes) });
  }
  if (request !== 'POKEDATA' && request !== 'POKETEXT') throw new Unsupported(step.op);
  pokedBytes(scene, step.args['value']).forEach((byte, i) => writeLocal(data + i, byte));
  return resultOf(scene.guest.call(sysPtrace(process.v, PTRACE_POKEDATA, pid, address, data)));
}

function ioUringSetup(scene: Scene, { process }: Call): Seen {
  const fd = scene.guest.call(sysIoUringSetup(process.v, 8));
  if (fd < 0) return resultOf(fd);
  scene.adopt(process, 'ring', fd);
  return resultOf(0);
}

function ioUringRegister(scene: Scene, call: Call): Seen {
  const { process, operation, step } = call;
  const ring = openFiles(process, 'ring')[0];
  if (ring === undefined) throw new Unsupported('io_uring_register without a ring');
  if (/UNREGISTER/.test(operation.operands[0] ?? '')) {
    const body = sysIoUringRegister(process.v, ring.fd, IORING_UNREGISTER_BUFFERS, 0, 0);
    return resultOf(scene.guest.call(body));
  }
  const pages = numberOf(step, 'pages', 1);
  const words = wordsFor(call);
  // Pages of another domain are behind no address of the program.
  const vpn =
    words === 'granter' && process.allocations.at(-1)?.kind === 'remote'
      ? 0
      : bufferOf(scene, process, words, pages).vpn;
  const vec = iovec([[addressOf(vpn), pages * PAGE_BYTES]]);
  const body = sysIoUringRegister(process.v, ring.fd, IORING_REGISTER_BUFFERS, vec, 1);
  return resultOf(scene.guest.call(body));
}

/** The context of the process for asynchronous I/O. */
function contextOf(scene: Scene, process: Process): number {
  if (process.aio < 0) process.aio = scene.guest.call(sysIoSetup(process.v, 4));
  return process.aio;
}

function ioSetup(scene: Scene, { process }: Call): Seen {
  return resultOf(Math.min(0, contextOf(scene, process)));
}

function ioSubmit(scene: Scene, call: Call): Seen {
  const { process, operation, step } = call;
  const context = contextOf(scene, process);
  const file = mediumOf(scene, call, 'device');
  const reads = /read/i.test(`${operation.operands.join(' ')} ${operation.rest}`);
  const told = typeof step.args['bytes'] === 'number' || typeof step.args['pages'] === 'number';
  // The result of io_submit counts requests and not bytes.
  const bytes = told ? bytesAsked(scene, call) : PAGE_BYTES;
  const buffer = bufferOf(scene, process, wordsFor(call), Math.ceil(bytes / PAGE_BYTES));
  if (!reads && buffer.own) fillAnew(scene, process, buffer.vpn, bytes);
  const iocb = Argument.value.at(700);
  writeLocal(iocb + IOCB_OPCODE, reads ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE);
  writeLocal(iocb + IOCB_FILDES, file.fd);
  writeLocal(iocb + IOCB_BUF, addressOf(buffer.vpn));
  writeLocal(iocb + IOCB_NBYTES, bytes);
  const offset = numberOf(step, 'offset', 0);
  writeLocal(iocb + IOCB_OFFSET, offset);
  const status = scene.guest.call(sysIoSubmit(process.v, context, 1, iocb));
  if (status > 0 && !reads) file.filled = Math.max(file.filled, offset + bytes);
  return resultOf(status);
}

function ioGetevents(scene: Scene, { process, step }: Call): Seen {
  const context = contextOf(scene, process);
  const out = Argument.value.at(800);
  const wanted = numberOf(step, 'min', 1);
  const body = sysIoGetevents(process.v, context, wanted, Math.max(1, wanted), out, 1000);
  return resultOf(scene.guest.call(body));
}

export const pinningOperations: Readonly<Record<string, Handler>> = {
  process_vm_readv: processVm(false),
  process_vm_writev: processVm(true),
  ptrace,
  io_uring_setup: ioUringSetup,
  io_uring_register: ioUringRegister,
  io_setup: ioSetup,
  io_submit: ioSubmit,
  io_getevents: ioGetevents,
};
