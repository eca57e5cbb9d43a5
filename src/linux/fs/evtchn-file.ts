/**
 * read(2) and write(2) of /dev/xen/evtchn: the copies between the program's buffer and the driver
 * (drivers/xen/evtchn.c: evtchn_read(), evtchn_write()). A port is EVTCHN_PORT_BYTES bytes, the
 * lowest first.
 */
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, writeLocal } from '../../shared/operations.ts';
import { EVTCHN_PORT_BYTES, evtchnRead, evtchnWrite } from '../drivers/evtchn/file.ts';
import { EvtchnPort } from '../drivers/evtchn/user.ts';
import { EFAULT } from '../errno.ts';
import { currentMm } from '../mm/mm-life.ts';
import { userLoad, userStore } from '../mm/user-access.ts';
import { offsetInPage, vpnOf } from './copy-bytes.ts';
import { File, O_NONBLOCK } from './file.ts';
import { IovIter, iovIterCount } from './iov-iter.ts';

/** Bytes of the buffer that one call looks at. */
function room(v: number): number {
  return Math.min(iovIterCount(v), EvtchnPort.value.count * EVTCHN_PORT_BYTES);
}

/** read(2). @param f - record of the file. @returns bytes, -EAGAIN, -EFBIG or -EFAULT. */
export function* evtchnFileRead(v: number, f: number): Op {
  const user = yield* read(File.object.at(f));
  const nonblock = ((yield* read(File.flags.at(f))) & O_NONBLOCK) !== 0 ? 1 : 0;
  const bytes = yield* evtchnRead(user, room(v), nonblock, EvtchnPort.value.at2(v, 0));
  const mm = currentMm(v);
  const addr = readLocal(IovIter.base.at(v));
  for (let i = 0; i < bytes; i++) {
    const port = readLocal(EvtchnPort.value.at2(v, (i / EVTCHN_PORT_BYTES) | 0));
    const byte = (port >> (8 * (i % EVTCHN_PORT_BYTES))) & 0xff;
    const at = addr + i;
    if ((yield* userStore(v, mm, vpnOf(at), offsetInPage(at), byte)) !== 0) return -EFAULT;
  }
  return bytes;
}

/** write(2). @param f - record of the file. @returns bytes or -EFAULT. */
export function* evtchnFileWrite(v: number, f: number): Op {
  const bytes = room(v) - (room(v) % EVTCHN_PORT_BYTES);
  const mm = currentMm(v);
  const addr = readLocal(IovIter.base.at(v));
  for (let i = 0; i < bytes; i++) {
    const at = addr + i;
    if ((yield* userLoad(v, mm, vpnOf(at), offsetInPage(at))) !== 0) return -EFAULT;
    const byte = reg(v, REG_VALUE) & 0xff;
    const word = EvtchnPort.value.at2(v, (i / EVTCHN_PORT_BYTES) | 0);
    const shift = 8 * (i % EVTCHN_PORT_BYTES);
    writeLocal(word, shift === 0 ? byte : readLocal(word) | (byte << shift));
  }
  const user = yield* read(File.object.at(f));
  return yield* evtchnWrite(v, user, EvtchnPort.value.at2(v, 0), bytes);
}
