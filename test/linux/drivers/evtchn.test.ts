/**
 * Goal: a program sees each event of its ports once, and none while it has not said that it is
 * done with the last.
 * Method: the calls of /dev/xen/evtchn alone, with the upcall between them; a reader that waits for
 * a sender under the explorer.
 */
import { describe, expect, test } from 'vitest';
import { EvtchnUser } from '../../../src/linux/drivers/evtchn/user.ts';
import {
  evtchnIoctl,
  evtchnOpen,
  evtchnRead,
  evtchnRelease,
  evtchnWrite,
} from '../../../src/linux/drivers/evtchn/file.ts';
import {
  EVENT_NONE,
  EVENT_USER,
  EventPort,
  evtchnGet,
  evtchnHandleEvents,
  evtchnPut,
} from '../../../src/linux/drivers/events.ts';
import {
  EAGAIN,
  EFAULT,
  EFBIG,
  EINVAL,
  ENOENT,
  ENOTCONN,
  ENOTTY,
} from '../../../src/linux/errno.ts';
import {
  IOCTL_EVTCHN_BIND_INTERDOMAIN,
  IOCTL_EVTCHN_BIND_UNBOUND_PORT,
  IOCTL_EVTCHN_NOTIFY,
  IOCTL_EVTCHN_RESET,
  IOCTL_EVTCHN_UNBIND,
} from '../../../src/linux/uapi/evtchn.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { MAPPER, OTHER_TASK, TASK, bootGuests, explore, must, now, result } from './guests.ts';

function ioctl(user: number, cmd: number, ...words: readonly number[]): number {
  words.forEach((word, i) => writeLocal(result(i), word));
  return runAlone(evtchnIoctl(TASK, user, cmd, result(0)));
}

/** A file with both ends of a channel of one domain. */
function loopback(): { user: number; one: number; two: number } {
  const user = must(runAlone(evtchnOpen(TASK)));
  const one = must(ioctl(user, IOCTL_EVTCHN_BIND_UNBOUND_PORT, MAPPER));
  const two = must(ioctl(user, IOCTL_EVTCHN_BIND_INTERDOMAIN, MAPPER, one));
  return { user, one, two };
}

function readPorts(user: number): number[] | number {
  const bytes = runAlone(evtchnRead(user, 64, 1, result(8)));
  if (bytes < 0) return bytes;
  return Array.from({ length: bytes / 4 }, (_, i) => now(result(8 + i)));
}

function done(user: number, port: number): void {
  writeLocal(result(0), port);
  expect(runAlone(evtchnWrite(TASK, user, result(0), 4))).toBe(4);
}

const upcall = (): void => runAlone(evtchnHandleEvents(TASK));

describe('/dev/xen/evtchn', () => {
  test('binding raises an event, which is there after the upcall', () => {
    bootGuests();
    const { user, two } = loopback();
    expect(readPorts(user)).toBe(-EAGAIN);
    upcall();
    expect(readPorts(user)).toEqual([two]);
    expect(readPorts(user)).toBe(-EAGAIN);
  });

  test('a port stays quiet from its event on until the program writes it', () => {
    bootGuests();
    const { user, one, two } = loopback();
    upcall();
    expect(readPorts(user)).toEqual([two]);
    expect(ioctl(user, IOCTL_EVTCHN_NOTIFY, one)).toBe(0);
    upcall();
    expect(readPorts(user)).toBe(-EAGAIN);
    done(user, two);
    upcall();
    expect(readPorts(user)).toEqual([two]);
  });

  test('refuses ports that the file has not, unknown calls and no argument', () => {
    bootGuests();
    const { user, one } = loopback();
    expect(ioctl(user, IOCTL_EVTCHN_NOTIFY, 20)).toBe(-ENOTCONN);
    expect(ioctl(user, IOCTL_EVTCHN_UNBIND, 20)).toBe(-ENOTCONN);
    expect(ioctl(user, IOCTL_EVTCHN_UNBIND, 99_999)).toBe(-EINVAL);
    expect(ioctl(user, IOCTL_EVTCHN_UNBIND, one)).toBe(0);
    expect(ioctl(user, IOCTL_EVTCHN_NOTIFY, one)).toBe(-ENOTCONN);
    expect(ioctl(user, 0x1234)).toBe(-ENOTTY);
    expect(runAlone(evtchnIoctl(TASK, user, IOCTL_EVTCHN_NOTIFY, 0))).toBe(-EFAULT);
    runAlone(evtchnRelease(TASK, user));
  });

  test('a port that a driver holds outlives its program, and closes with its last user', () => {
    bootGuests();
    const { user, two } = loopback();
    const handler = EventPort.handler.at2(MAPPER, two);
    expect(runAlone(evtchnGet(MAPPER, two))).toBe(0);
    expect(ioctl(user, IOCTL_EVTCHN_UNBIND, two)).toBe(0);
    expect(now(handler)).toBe(EVENT_USER);
    runAlone(evtchnPut(TASK, two));
    expect(now(handler)).toBe(EVENT_NONE);
    expect(runAlone(evtchnGet(MAPPER, two))).toBe(-ENOENT);
    expect(runAlone(evtchnGet(MAPPER, 0))).toBe(-EINVAL);
  });

  test('a full ring is an error until the program resets it', () => {
    bootGuests({ evtchnRing: 1 });
    const { user, one, two } = loopback();
    upcall();
    expect(ioctl(user, IOCTL_EVTCHN_NOTIFY, two)).toBe(0);
    upcall();
    expect(now(EvtchnUser.overflow.at(user))).toBe(1);
    expect(readPorts(user)).toBe(-EFBIG);
    expect(ioctl(user, IOCTL_EVTCHN_RESET)).toBe(0);
    done(user, one);
    expect(ioctl(user, IOCTL_EVTCHN_NOTIFY, two)).toBe(0);
    upcall();
    expect(readPorts(user)).toEqual([one]);
  });

  test.each(['sc', 'tso'] as const)('a reader that waits is woken under %s', (memory) => {
    const machine = bootGuests();
    const { user, one, two } = loopback();
    upcall();
    readPorts(user);
    done(user, two);
    writeLocal(result(0), one);
    const found = explore(
      machine,
      [
        { name: 'read', v: OTHER_TASK, body: () => evtchnRead(user, 4, 0, result(8)) },
        { name: 'notify', v: TASK, body: () => notifyAndHandle(user) },
      ],
      { memory, executions: 200 },
    );
    expect(found.finding).toBeUndefined();
  });
});

/** A program sends, and the upcall comes on its vCPU. */
function* notifyAndHandle(user: number): Op<void> {
  yield* evtchnIoctl(TASK, user, IOCTL_EVTCHN_NOTIFY, result(0));
  yield* evtchnHandleEvents(TASK);
}
