/** Calls of /dev/xen/evtchn. */
import {
  IOCTL_EVTCHN_BIND_INTERDOMAIN,
  IOCTL_EVTCHN_BIND_UNBOUND_PORT,
  IOCTL_EVTCHN_NOTIFY,
  IOCTL_EVTCHN_RESET,
  IOCTL_EVTCHN_UNBIND,
} from '../../linux/uapi/evtchn.ts';
import { EVTCHN_PORT_BYTES } from '../../linux/drivers/evtchn/file.ts';
import { sysRead, sysWrite } from '../../linux/fs/read-write.ts';
import { DOMID_FIRST_RESERVED } from '../../xen/public/xen.ts';
import type { Seen } from '../compare.ts';
import { resultOf } from '../guest.ts';
import { TEST_DOMAIN } from '../machine.ts';
import type { Scene } from '../scene.ts';
import { Unsupported } from '../world.ts';
import { localMemory } from './access.ts';
import type { Call, Handler } from './arguments.ts';
import { numberOf } from './arguments.ts';
import { addressOf } from './buffer.ts';

/** The port that a step names, or the case's own. */
function portOf(scene: Scene, { step }: Call): number {
  const told = step.args['port'];
  return typeof told === 'number' ? told : scene.port;
}

function ioctl(scene: Scene, call: Call, cmd: number, words: readonly number[]): number {
  const file = scene.file(call.process, 'evtchn', 'never');
  return scene.guest.ioctl(call.process.v, file.fd, cmd, words);
}

/** The domain of the other end: a number in the step, else the test domain itself. */
function remoteOf({ step }: Call): number {
  const told = step.args['remote'] ?? step.args['domid'] ?? TEST_DOMAIN;
  if (typeof told !== 'number' || told >= DOMID_FIRST_RESERVED) {
    throw new Unsupported(`${step.op} with domain ${String(told)}`);
  }
  return told;
}

/** BIND(unbound,interdomain loopback): both ends in one file; or one end. */
function bind(scene: Scene, call: Call): Seen {
  const text = call.operation.operands.join(' ');
  if (/virq/i.test(text)) throw new Unsupported(call.step.op);
  let status = 0;
  let unbound = scene.port;
  if (/unbound/.test(text)) {
    status = ioctl(scene, call, IOCTL_EVTCHN_BIND_UNBOUND_PORT, [remoteOf(call)]);
    if (status < 0) return resultOf(status);
    unbound = status;
    scene.port = status;
  }
  if (/interdomain/.test(text)) {
    const words = [remoteOf(call), numberOf(call.step, 'remotePort', unbound)];
    status = ioctl(scene, call, IOCTL_EVTCHN_BIND_INTERDOMAIN, words);
    if (status < 0) return resultOf(status);
  }
  return resultOf(0);
}

/** read: an event that has come may have been taken by the guest's upcall before, or not yet. */
function read(scene: Scene, call: Call): Seen {
  const { process } = call;
  const { v } = process;
  const file = scene.file(process, 'evtchn', 'never');
  if (scene.guest.stage.eventsWait() && scene.choose([true, false], 'when the upcall comes')) {
    scene.guest.stage.takeEvents();
  }
  const { vpn } = localMemory(scene, process);
  const status = scene.guest.call(sysRead(v, file.fd, addressOf(vpn), EVTCHN_PORT_BYTES));
  // Its next event may come.
  if (status > 0) scene.guest.call(sysWrite(v, file.fd, addressOf(vpn), status));
  return resultOf(status);
}

export const eventOperations: Readonly<Record<string, Handler>> = {
  'evtchn.BIND': bind,
  'evtchn.read': read,
  'evtchn.NOTIFY': (scene, call) =>
    resultOf(ioctl(scene, call, IOCTL_EVTCHN_NOTIFY, [portOf(scene, call)])),
  'evtchn.UNBIND': (scene, call) =>
    resultOf(ioctl(scene, call, IOCTL_EVTCHN_UNBIND, [portOf(scene, call)])),
  'evtchn.RESET': (scene, call) => resultOf(ioctl(scene, call, IOCTL_EVTCHN_RESET, [])),
};
