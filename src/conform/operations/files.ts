/**
 * System calls that move bytes between files and a program's memory: pipes, files of tmpfs, block
 * devices with direct I/O, /proc/pid/mem, splice and vmsplice.
 *
 * What a recording leaves out: how many bytes were asked for (buffer.ts), what was in a pipe, file
 * or device before a read (a choice: what these steps put there, or something new), and where in a
 * mapping the buffer was (a choice of page).
 */
import { sysSplice, sysTee, NO_OFFSET } from '../../linux/fs/splice.ts';
import { SPLICE_F_GIFT } from '../../linux/fs/splice-wait.ts';
import { sysVmsplice } from '../../linux/fs/vmsplice.ts';
import {
  sysPread64,
  sysPreadv,
  sysPwrite64,
  sysPwritev,
  sysRead,
  sysReadv,
  sysWrite,
  sysWritev,
} from '../../linux/fs/read-write.ts';
import type { Op } from '../../shared/op.ts';
import type { Seen } from '../compare.ts';
import { resultOf } from '../guest.ts';
import { PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { OpenFile } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { textOf } from './arguments.ts';
import { accessOr, bufferOf } from './access.ts';
import type { Buffer } from './buffer.ts';
import { addressOf, bytesAsked, fillAnew, iovec, seenIn, wordsFor } from './buffer.ts';
import { fileMeant, mediumOf } from './media.ts';

/** A call on a file and a buffer of the program. */
interface Transfer {
  readonly file: OpenFile;
  readonly buffer: Buffer;
  readonly bytes: number;
  /** Byte of the file, or of the address space for /proc/pid/mem. */
  readonly position: number;
}

/** What a step's operands say. @param reads - into the buffer. */
function transferOf(scene: Scene, call: Call, reads: boolean): Transfer {
  const { process, step } = call;
  const file = mediumOf(scene, call);
  const bytes = bytesAsked(scene, call, reads ? file : undefined);
  const noMapping = file.kind === 'procmem' || process.mappings.length === 0;
  const words = wordsFor(call, noMapping ? 'local' : 'mapping');
  const buffer = bufferOf(scene, process, words, Math.ceil(bytes / PAGE_BYTES));
  // A program fills what it writes from its own memory.
  if (!reads && buffer.own) fillAnew(scene, process, buffer.vpn, bytes);
  const told = step.args['offset'];
  let position = typeof told === 'number' ? told : 0;
  if (file.kind === 'procmem') {
    position = addressOf(bufferOf(scene, process, wordsFor(call, 'mapping'), 1).vpn);
  }
  return { file, buffer, bytes, position };
}

/** Something is in the file before it is read: what was put there, or what the step needs. */
function provide(scene: Scene, call: Call, { file, bytes }: Transfer): void {
  const { process } = call;
  if (file.kind === 'pipe') {
    const lacking = bytes - file.filled;
    if (lacking <= 0) return;
    const { vpn } = bufferOf(scene, process, 'local', 1);
    fillAnew(scene, process, vpn, lacking);
    scene.guest.call(sysWrite(process.v, file.writeFd, addressOf(vpn), lacking));
    file.filled += lacking;
    return;
  }
  if (file.kind !== 'file' && file.kind !== 'device') return;
  const known = file.filled >= bytes;
  if (known && scene.choose([true, false], 'the contents of a file')) return;
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const { vpn } = bufferOf(scene, process, 'local', pages);
  fillAnew(scene, process, vpn, pages * PAGE_BYTES);
  scene.guest.call(sysPwrite64(process.v, file.fd, addressOf(vpn), pages * PAGE_BYTES, 0));
  file.filled = Math.max(file.filled, pages * PAGE_BYTES);
}

type Plain = (v: number, fd: number, buf: number, count: number) => Op;
type Positioned = (v: number, fd: number, buf: number, count: number, pos: number) => Op;

function readFrom(plain: Plain | null, positioned: Positioned | null, vector: boolean): Handler {
  return (scene, call) => {
    const transfer = transferOf(scene, call, true);
    provide(scene, call, transfer);
    const { file, buffer, bytes, position } = transfer;
    const { v } = call.process;
    const address = addressOf(buffer.vpn);
    const target = vector ? iovec([[address, bytes]]) : address;
    const count = vector ? 1 : bytes;
    const body =
      positioned === null
        ? (plain as Plain)(v, file.fd, target, count)
        : positioned(v, file.fd, target, count, position);
    const status = scene.guest.call(body);
    if (status > 0 && file.kind === 'pipe') file.filled -= status;
    return resultOf(status, seenIn(scene, call, buffer.vpn));
  };
}

function writeTo(plain: Plain | null, positioned: Positioned | null, vector: boolean): Handler {
  return (scene, call) => {
    const { file, buffer, bytes, position } = transferOf(scene, call, false);
    const { v } = call.process;
    const address = addressOf(buffer.vpn);
    const source = vector ? iovec([[address, bytes]]) : address;
    const count = vector ? 1 : bytes;
    const fd = file.kind === 'pipe' ? file.writeFd : file.fd;
    const body =
      positioned === null
        ? (plain as Plain)(v, fd, source, count)
        : positioned(v, fd, source, count, position);
    const status = scene.guest.call(body);
    note(file, status, positioned === null ? file.filled : position);
    return resultOf(status, seenIn(scene, call, buffer.vpn));
  };
}

/** So many bytes are in the file now. */
function note(file: OpenFile, status: number, position: number): void {
  if (status <= 0) return;
  if (file.kind === 'pipe') file.filled += status;
  else file.filled = Math.max(file.filled, position + status);
}

function close(scene: Scene, { step, process }: Call): Seen {
  const file = fileMeant(scene, process, textOf(step, 'fd'));
  file.open = false;
  const status = scene.guest.close(process.v, file.fd);
  if (file.kind === 'pipe') scene.guest.close(process.v, file.writeFd);
  return resultOf(status);
}

/** vmsplice: from memory into a pipe, or what is in a pipe into memory. */
function vmsplice(scene: Scene, call: Call): Seen {
  const { process, operation, step } = call;
  const file = mediumOf(scene, call, 'pipe');
  const named = String(step.args['flags'] ?? '');
  const text = `${operation.operands.join(' ')} ${operation.rest} ${named}`;
  const toUser = /^\s*pipe\b.*(->|\bto\b)/i.test(text);
  const bytes = bytesAsked(scene, call, toUser ? file : undefined);
  const buffer = bufferOf(scene, process, wordsFor(call), Math.ceil(bytes / PAGE_BYTES));
  if (!toUser && buffer.own) fillAnew(scene, process, buffer.vpn, bytes);
  const flags = /gift/i.test(text) ? SPLICE_F_GIFT : 0;
  const fd = toUser ? file.fd : file.writeFd;
  const vec = iovec([[addressOf(buffer.vpn), bytes]]);
  const status = scene.guest.call(sysVmsplice(process.v, fd, vec, 1, flags));
  if (status > 0) file.filled += toUser ? -status : status;
  return resultOf(status, seenIn(scene, call, buffer.vpn));
}

/** splice and tee between the two files that the operands name. */
function spliceOr(tee: boolean): Handler {
  return (scene, call) => {
    const { process } = call;
    const [from, to] = call.operation.operands.flatMap((operand) =>
      operand.split(/\s*->\s*|\bto\b/),
    );
    const source = fileMeant(scene, process, from ?? 'pipe');
    const sink = fileMeant(scene, process, to ?? 'file', source);
    const bytes = bytesAsked(scene, call, source);
    const fd = sink.kind === 'pipe' ? sink.writeFd : sink.fd;
    const body = tee
      ? sysTee(process.v, source.fd, fd, bytes, 0)
      : sysSplice(process.v, source.fd, NO_OFFSET, fd, NO_OFFSET, bytes, 0);
    const status = scene.guest.call(body);
    if (status > 0 && !tee && source.kind === 'pipe') source.filled -= status;
    note(sink, status, sink.filled);
    return resultOf(status);
  };
}

export const fileOperations: Readonly<Record<string, Handler>> = {
  close,
  read: accessOr(readFrom(sysRead, null, false), 'read'),
  write: accessOr(writeTo(sysWrite, null, false), 'write'),
  readv: readFrom(sysReadv, null, true),
  writev: writeTo(sysWritev, null, true),
  pread: readFrom(null, sysPread64, false),
  pwrite: writeTo(null, sysPwrite64, false),
  preadv: readFrom(null, sysPreadv, true),
  pwritev: writeTo(null, sysPwritev, true),
  vmsplice,
  splice: spliceOr(false),
  tee: spliceOr(true),
};
