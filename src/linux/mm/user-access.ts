/**
 * Loads and stores of a user program (and copy_from_user(), copy_to_user()): the access, and the
 * fault handler in between as often as the hardware asks for it.
 */
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import type { Op } from '../../shared/op.ts';
import { handleUserFault } from './fault.ts';

/**
 * A load; the value comes in REG_VALUE, the frame in REG_MFN.
 * @param v - vCPU that runs in the address space. @param vpn - virtual page.
 * @param offset - word in the page. @returns 0, -EFAULT or -ENOMEM.
 */
export function* userLoad(v: number, mm: number, vpn: number, offset: number): Op {
  while ((yield* cpuLoad(v, vpn, offset)) !== 0) {
    const status = yield* handleUserFault(v, mm, vpn, 0);
    if (status < 0) return status;
  }
  return 0;
}

/**
 * A store; the frame comes in REG_MFN.
 * @param v - vCPU that runs in the address space. @param vpn - virtual page.
 * @param offset - word in the page. @param value - what to store. @returns 0, -EFAULT or -ENOMEM.
 */
export function* userStore(v: number, mm: number, vpn: number, offset: number, value: number): Op {
  while ((yield* cpuStore(v, vpn, offset, value)) !== 0) {
    const status = yield* handleUserFault(v, mm, vpn, 1);
    if (status < 0) return status;
  }
  return 0;
}
