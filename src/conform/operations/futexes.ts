/**
 * futex(2) on a word of a mapping: its key is the page behind the address, which is looked up like
 * any other. A wait that nobody ends runs into its time.
 */
import {
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_PRIVATE_FLAG,
  FUTEX_WAIT,
  FUTEX_WAKE,
  sysFutex,
} from '../../linux/fs/futex.ts';
import type { Seen } from '../compare.ts';
import { resultOf } from '../guest.ts';
import { PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import { Unsupported } from '../world.ts';
import { bufferOf } from './access.ts';
import type { Call, Handler } from './arguments.ts';
import { numberOf } from './arguments.ts';
import { wordsFor } from './buffer.ts';

/** Milliseconds that a wait lasts of which the recording does not say how long. */
const TIMEOUT = 100;

/** "FUTEX_WAIT", "WAKE|PRIVATE" */
function operationOf(text: string): number {
  const shared = /PRIVATE/.test(text) ? FUTEX_PRIVATE_FLAG : 0;
  if (/WAKE/.test(text)) return FUTEX_WAKE | shared;
  if (/WAIT/.test(text)) return FUTEX_WAIT | shared;
  throw new Unsupported(`futex with ${text}`);
}

function futex(scene: Scene, call: Call): Seen {
  const { step, process, operation } = call;
  const told = step.args['futexOp'] ?? step.args['what'] ?? '';
  const op = operationOf(`${operation.operands.join(' ')} ${operation.rest} ${String(told)}`);
  const page = numberOf(step, 'page', numberOf(step, 'firstPage', 0));
  const { vpn } = bufferOf(scene, process, wordsFor(call), page + 1);
  const offset = numberOf(step, 'offset', numberOf(step, 'byteInPage', 0));
  const address = (vpn + page) * PAGE_BYTES + offset;
  const wait = (op & ~FUTEX_PRIVATE_FLAG) === FUTEX_WAIT;
  const value = numberOf(step, wait ? 'value' : 'count', numberOf(step, 'val', wait ? 0 : 1));
  const timeout = wait ? numberOf(step, 'timeoutMs', TIMEOUT) : 0;
  return resultOf(
    scene.guest.call(sysFutex(process.v, address, op, value, timeout, FUTEX_BITSET_MATCH_ANY)),
  );
}

export const futexOperations: Readonly<Record<string, Handler>> = { futex };
