/**
 * The system calls on /dev/xen/evtchn: drivers/xen/evtchn.c.
 *
 *   1. bind a port (evtchn_bind_to_user): the file's, with a handler, counted. 2. read: the ports
 *   whose events came; each is masked from its event on. 3. write a port: its next event may come.
 */
import { domainOf } from '../../../hardware/params.ts';
import { mutexLock, mutexUnlock } from '../../../shared/mutex.ts';
import type { Op } from '../../../shared/op.ts';
import {
  awaitNotEqual,
  read,
  readOnce,
  smpRmb,
  write,
  writeLocal,
} from '../../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../../shared/slab.ts';
import {
  evtchnAllocUnbound,
  evtchnBindInterdomain,
  evtchnSend,
} from '../../../xen/event-channel.ts';
import { EAGAIN, EFAULT, EFBIG, EINVAL, ENOMEM, ENOTCONN, ENOTTY } from '../../errno.ts';
import {
  BIND_INTERDOMAIN_REMOTE_DOMAIN,
  BIND_INTERDOMAIN_REMOTE_PORT,
  IOCTL_EVTCHN_BIND_INTERDOMAIN,
  IOCTL_EVTCHN_BIND_UNBOUND_PORT,
  IOCTL_EVTCHN_NOTIFY,
  IOCTL_EVTCHN_RESET,
  IOCTL_EVTCHN_UNBIND,
} from '../../uapi/evtchn.ts';
import {
  EVENT_USER,
  bindEvtchnToIrqhandler,
  evtchnMakeRefcounted,
  evtchnPut,
  xenIrqLateeoi,
} from '../events.ts';
import { EvtchnRing, EvtchnUser, EvtchnUserBitmap, UserEvtchn } from './user.ts';

/** sizeof(evtchn_port_t) */
export const EVTCHN_PORT_BYTES = 4;

/** drivers/xen/evtchn.c: evtchn_open(). @returns the file's record, or -ENOMEM. */
export function* evtchnOpen(v: number): Op {
  const user = yield* slabAlloc(EvtchnUserBitmap.value.word, EvtchnUser.domid.count);
  if (user < 0) return -ENOMEM;
  yield* write(EvtchnUser.domid.at(user), domainOf(v));
  yield* write(EvtchnUser.ringProd.at(user), 0);
  yield* write(EvtchnUser.ringCons.at(user), 0);
  yield* write(EvtchnUser.overflow.at(user), 0);
  return user;
}

/** drivers/xen/evtchn.c: evtchn_unbind_from_user() */
function* unbindFromUser(v: number, port: number): Op<void> {
  yield* write(UserEvtchn.user.at2(domainOf(v), port), 0);
  yield* evtchnPut(v, port);
}

/** drivers/xen/evtchn.c: evtchn_release(). @param user - record whose last reference is gone. */
export function* evtchnRelease(v: number, user: number): Op<void> {
  for (let port = 1; port < UserEvtchn.user.count; port++) {
    if ((yield* read(UserEvtchn.user.at2(domainOf(v), port))) !== user + 1) continue;
    yield* unbindFromUser(v, port);
  }
  yield* slabFree(EvtchnUserBitmap.value.word, user);
}

/** drivers/xen/evtchn.c: evtchn_bind_to_user(). @param port - new port, or an errno. */
function* bindToUser(v: number, user: number, port: number): Op {
  if (port < 0) return port;
  const d = domainOf(v);
  yield* write(UserEvtchn.enabled.at2(d, port), 1);
  yield* write(UserEvtchn.user.at2(d, port), user + 1);
  yield* bindEvtchnToIrqhandler(v, port, EVENT_USER);
  yield* evtchnMakeRefcounted(d, port);
  return port;
}

/** Has the file the port? drivers/xen/evtchn.c: find_evtchn() */
function* hasPort(v: number, user: number, port: number): Op {
  if (port <= 0 || port >= UserEvtchn.user.count) return 0;
  return (yield* read(UserEvtchn.user.at2(domainOf(v), port))) === user + 1 ? 1 : 0;
}

/** IOCTL_EVTCHN_UNBIND. @returns 0, -EINVAL or -ENOTCONN. */
function* unbind(v: number, user: number, port: number): Op {
  if (port < 0 || port >= UserEvtchn.user.count) return -EINVAL;
  if ((yield* hasPort(v, user, port)) === 0) return -ENOTCONN;
  yield* unbindFromUser(v, port);
  return 0;
}

/** IOCTL_EVTCHN_NOTIFY. @returns 0 or -ENOTCONN. */
function* notify(v: number, user: number, port: number): Op {
  if ((yield* hasPort(v, user, port)) === 0) return -ENOTCONN;
  yield* evtchnSend(v, port);
  return 0;
}

/** IOCTL_EVTCHN_RESET: forgets what came. */
function* reset(user: number): Op {
  yield* mutexLock(EvtchnUser.consMutex.at(user));
  yield* write(EvtchnUser.ringCons.at(user), yield* read(EvtchnUser.ringProd.at(user)));
  yield* write(EvtchnUser.overflow.at(user), 0);
  yield* mutexUnlock(EvtchnUser.consMutex.at(user));
  return 0;
}

/** evtchn_ioctl(), under bind_mutex. @param arg - word of the argument, not 0. */
function* ioctlLocked(v: number, user: number, cmd: number, arg: number): Op {
  switch (cmd) {
    case IOCTL_EVTCHN_BIND_UNBOUND_PORT:
      return yield* bindToUser(v, user, yield* evtchnAllocUnbound(v, yield* read(arg)));
    case IOCTL_EVTCHN_BIND_INTERDOMAIN: {
      const domid = yield* read(arg + BIND_INTERDOMAIN_REMOTE_DOMAIN);
      const port = yield* read(arg + BIND_INTERDOMAIN_REMOTE_PORT);
      return yield* bindToUser(v, user, yield* evtchnBindInterdomain(v, domid, port));
    }
    case IOCTL_EVTCHN_UNBIND:
      return yield* unbind(v, user, yield* read(arg));
    case IOCTL_EVTCHN_NOTIFY:
      return yield* notify(v, user, yield* read(arg));
    default:
      return -ENOTTY;
  }
}

/**
 * drivers/xen/evtchn.c: evtchn_ioctl(). Not modelled: VIRQs, RESTRICT_DOMID.
 * @param v - vCPU of the task. @param user - the file's record. @param cmd - IOCTL_EVTCHN_*.
 * @param arg - word of the argument, 0: none. @returns a port or 0; or a negative errno.
 */
export function* evtchnIoctl(v: number, user: number, cmd: number, arg: number): Op {
  if (cmd === IOCTL_EVTCHN_RESET) return yield* reset(user);
  if (arg === 0) return -EFAULT;
  yield* mutexLock(EvtchnUser.bindMutex.at(user));
  const status = yield* ioctlLocked(v, user, cmd, arg);
  yield* mutexUnlock(EvtchnUser.bindMutex.at(user));
  return status;
}

/**
 * drivers/xen/evtchn.c: evtchn_read()
 * @param user - the file's record. @param bytes - room. @param nonblock - 1: O_NONBLOCK.
 * @param out - word of an array for the ports.
 * @returns bytes of the ports that were taken; -EAGAIN, -EFBIG after an overflow.
 */
export function* evtchnRead(user: number, bytes: number, nonblock: number, out: number): Op {
  const room = (bytes / EVTCHN_PORT_BYTES) | 0;
  if (room === 0) return 0;
  for (;;) {
    yield* mutexLock(EvtchnUser.consMutex.at(user));
    if ((yield* read(EvtchnUser.overflow.at(user))) !== 0) {
      yield* mutexUnlock(EvtchnUser.consMutex.at(user));
      return -EFBIG;
    }
    const cons = yield* read(EvtchnUser.ringCons.at(user));
    const ready = (yield* readOnce(EvtchnUser.ringProd.at(user))) - cons;
    if (ready !== 0) {
      const taken = Math.min(ready, room);
      yield* smpRmb();
      for (let i = 0; i < taken; i++) {
        const slot = (cons + i) % EvtchnRing.value.count;
        writeLocal(out + i, yield* read(EvtchnRing.value.at2(user, slot)));
      }
      yield* write(EvtchnUser.ringCons.at(user), cons + taken);
      yield* mutexUnlock(EvtchnUser.consMutex.at(user));
      return taken * EVTCHN_PORT_BYTES;
    }
    yield* mutexUnlock(EvtchnUser.consMutex.at(user));
    if (nonblock !== 0) return -EAGAIN;
    yield* awaitNotEqual(EvtchnUser.ringProd.at(user), -1, cons);
  }
}

/**
 * drivers/xen/evtchn.c: evtchn_write(): the next event of these ports may come.
 * @param ports - word of an array of them. @param bytes - of the array.
 * @returns bytes that were looked at.
 */
export function* evtchnWrite(v: number, user: number, ports: number, bytes: number): Op {
  const count = (bytes / EVTCHN_PORT_BYTES) | 0;
  yield* mutexLock(EvtchnUser.bindMutex.at(user));
  for (let i = 0; i < count; i++) {
    const port = yield* read(ports + i);
    if ((yield* hasPort(v, user, port)) === 0) continue;
    const enabled = UserEvtchn.enabled.at2(domainOf(v), port);
    if ((yield* read(enabled)) !== 0) continue;
    yield* write(enabled, 1);
    yield* xenIrqLateeoi(v, port);
  }
  yield* mutexUnlock(EvtchnUser.bindMutex.at(user));
  return count * EVTCHN_PORT_BYTES;
}
