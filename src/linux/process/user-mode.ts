/**
 * What a program does by itself: loads and stores at user addresses, and the signal that it gets
 * for a bad one (arch/x86/mm/fault.c: bad_area(), do_sigbus()).
 */
import { reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { EFAULT } from '../errno.ts';
import { offsetInPage, vpnOfAddress } from '../mm/address.ts';
import { REG_SIGNO, REG_SI_CODE } from '../mm/fault-codes.ts';
import { currentMm } from '../mm/mm-life.ts';
import { userLoad, userStore } from '../mm/user-access.ts';
import { exitToUserMode, forceSigFault } from './signal.ts';

/** force_sig_fault() and the way back to user mode. @returns -EFAULT. */
function* raise(v: number): Op {
  const signo = reg(v, REG_SIGNO);
  const code = reg(v, REG_SI_CODE);
  yield* forceSigFault(v, signo, code);
  yield* exitToUserMode(v);
  return -EFAULT;
}

/**
 * A load of the program; the value comes in REG_VALUE.
 * @param v - vCPU of the task. @param address - user address.
 * @returns 0; or -EFAULT with signal and si_code in REG_SIGNO and REG_SI_CODE: a handler of the
 *   program was entered, or the task has ended.
 */
export function* programLoad(v: number, address: number): Op {
  const vpn = vpnOfAddress(address);
  if ((yield* userLoad(v, currentMm(v), vpn, offsetInPage(address))) === 0) return 0;
  return yield* raise(v);
}

/** A store of the program. Arguments and result as programLoad. @param value - what to store. */
export function* programStore(v: number, address: number, value: number): Op {
  const vpn = vpnOfAddress(address);
  if ((yield* userStore(v, currentMm(v), vpn, offsetInPage(address), value)) === 0) return 0;
  return yield* raise(v);
}
