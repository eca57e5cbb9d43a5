/**
 * A process of the toolstack that keeps guests' pages mapped for a while (a console or store
 * daemon, a save helper): maps the pages of a request through gntdev, copies them by the CPU,
 * splits the mapping by a partial munmap or mprotect, uses what is left, unmaps, and maps again.
 *
 * gntdev takes the grants of a range away whatever the reason of the notification (drivers/xen/
 * gntdev.c ignores its type), so after mprotect of a page the grant behind it is gone: the program
 * does not touch that page any more.
 */
import { BUG_PAYLOAD } from '../../hardware/bugs.ts';
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { frameWordCount } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import { mprotect } from '../../linux/mm/mprotect.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { EFAULT } from '../../linux/errno.ts';
import { VM_READ } from '../../linux/mm/vma.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, writeLocal } from '../../shared/operations.ts';
import { Request, Segment, isWrite, respond, takeRequest } from '../channel.ts';
import { checksumOf } from '../payload.ts';
import { Sector } from '../storage.ts';
import { Task, pick, splitsMappings } from '../task.ts';
import { mapRequest, unmapRequest } from './user-mapping.ts';

/** Copies a page out and compares it with its checksum. @returns 0 or -EFAULT. */
function* copyOut(v: number, r: number, vpn: number, i: number): Op {
  const sector = yield* read(Segment.sector.at2(r, i));
  const words = frameWordCount();
  let sum = 0;
  for (let offset = 0; offset < words; offset++) {
    if ((yield* cpuLoad(v, vpn + i, offset)) !== 0) return -EFAULT;
    const word = reg(v, REG_VALUE);
    sum = checksumOf(sum, word);
    writeLocal(Sector.value.at2(sector, offset), word);
  }
  const expected = yield* read(Segment.checksum.at2(r, i));
  warnOn(sum !== expected, BUG_PAYLOAD, sector, sum);
  return 0;
}

/** Copies a page in. @returns 0 or -EFAULT. */
function* copyIn(v: number, r: number, vpn: number, i: number): Op {
  const sector = yield* read(Segment.sector.at2(r, i));
  const words = frameWordCount();
  for (let offset = 0; offset < words; offset++) {
    const word = readLocal(Sector.value.at2(sector, offset));
    if ((yield* cpuStore(v, vpn + i, offset, word)) !== 0) return -EFAULT;
  }
  return 0;
}

/** Copies all pages but one. @param but - its index, -1 for none. @returns 0 or -EFAULT. */
function* copyAll(v: number, r: number, vpn: number, but: number): Op {
  const writes = yield* isWrite(r);
  const count = yield* read(Request.count.at(r));
  for (let i = 0; i < count; i++) {
    if (i === but) continue;
    const status = writes === 0 ? yield* copyIn(v, r, vpn, i) : yield* copyOut(v, r, vpn, i);
    if (status !== 0) return status;
  }
  return 0;
}

/** Splits the mapping at one page, which loses its grant. @returns its index, -1 if none. */
function* split(v: number, vpn: number, count: number): Op {
  if (!splitsMappings() || count < 2) return -1;
  const way = yield* pick(3);
  if (way === 0) return -1;
  const but = yield* pick(count);
  const mm = readLocal(Task.mm.at(v));
  if (way === 1) yield* doMunmap(v, mm, vpn + but, 1);
  else yield* mprotect(v, mm, vpn + but, 1, VM_READ);
  return but;
}

/** Maps a request, uses it whole and in parts, unmaps it. @returns 0 or a negative errno. */
function* mapAndUse(v: number, r: number): Op {
  const count = yield* read(Request.count.at(r));
  const writes = yield* isWrite(r);
  const vpn = yield* mapRequest(v, r, count, 1 - writes);
  if (vpn < 0) return vpn;
  let status = yield* copyAll(v, r, vpn, -1);
  const but = yield* split(v, vpn, count);
  if (but >= 0 && status === 0) status = yield* copyAll(v, r, vpn, but);
  yield* unmapRequest(v, vpn, count);
  return status;
}

/** One turn: waits for a request and maps it once or twice. @param v - vCPU of the domain. */
export function* toolstackTurn(v: number): Op<void> {
  const r = yield* takeRequest(v);
  let status = yield* mapAndUse(v, r);
  if (status === 0 && (yield* pick(2)) === 1) status = yield* mapAndUse(v, r);
  yield* respond(v, r, status);
}
