/**
 * The programs by number: simulated code has no function pointers.
 */
import { physicalActor, upcallActor } from '../../hardware/irq.ts';
import { invalidateActor } from '../../hardware/iommu.ts';
import { kernelThreadTurn } from '../../linux/drivers/workqueue.ts';
import { cpuRelax } from '../../shared/operations.ts';
import type { Op } from '../../shared/op.ts';
import { asyncBackendTurn } from './async-backend.ts';
import { blkbackTurn } from './blkback.ts';
import { blkfrontTurn } from './blkfront.ts';
import { deviceTurn } from './device.ts';
import { netGuestTurn } from './net-guest.ts';
import { netSenderTurn } from './net-sender.ts';
import { netbackRxTurn } from './netback-rx.ts';
import { netbackCopyTurn, netbackDeallocTurn, netbackMapTurn } from './netback-tx.ts';
import { netstackTurn } from './netstack.ts';
import { toolstackTurn } from './toolstack.ts';
import { userBackendTurn } from './user-backend.ts';

export const PROGRAM_NONE = 0;
export const PROGRAM_BLKFRONT = 1;
export const PROGRAM_BLKBACK = 2;
export const PROGRAM_USER_BACKEND = 3;
export const PROGRAM_TOOLSTACK = 4;
export const PROGRAM_NETSTACK = 5;
export const PROGRAM_KERNEL_THREAD = 6;
export const PROGRAM_DEVICE = 7;
export const PROGRAM_ASYNC_BACKEND = 8;
export const PROGRAM_NETBACK_RX = 9;
export const PROGRAM_NETBACK_COPY = 10;
export const PROGRAM_NETBACK_MAP = 11;
export const PROGRAM_NETBACK_DEALLOC = 12;
export const PROGRAM_NET_GUEST = 13;
export const PROGRAM_NET_SENDER = 14;

/** Interrupt lines: of a vCPU, by the guest and by Xen; of a device. */
export const LINE_UPCALL = 1;
export const LINE_PHYSICAL = 2;
export const LINE_INVALIDATE = 3;

/** One turn of a program of the guests' network. */
function* runNetworkTurn(program: number, self: number): Op<void> {
  switch (program) {
    case PROGRAM_NETBACK_RX:
      yield* netbackRxTurn(self);
      break;
    case PROGRAM_NETBACK_COPY:
      yield* netbackCopyTurn(self);
      break;
    case PROGRAM_NETBACK_MAP:
      yield* netbackMapTurn(self);
      break;
    case PROGRAM_NETBACK_DEALLOC:
      yield* netbackDeallocTurn(self);
      break;
    case PROGRAM_NET_GUEST:
      yield* netGuestTurn(self);
      break;
    case PROGRAM_NET_SENDER:
      yield* netSenderTurn(self);
      break;
    default:
      break;
  }
}

/**
 * One turn of a program. Between two turns of a frontend nothing of its requests is left over.
 * @param program - PROGRAM_*. @param self - its vCPU, or its device.
 */
export function* runTurn(program: number, self: number): Op<void> {
  switch (program) {
    case PROGRAM_BLKFRONT:
      yield* blkfrontTurn(self);
      break;
    case PROGRAM_BLKBACK:
      yield* blkbackTurn(self);
      break;
    case PROGRAM_USER_BACKEND:
      yield* userBackendTurn(self);
      break;
    case PROGRAM_ASYNC_BACKEND:
      yield* asyncBackendTurn(self);
      break;
    case PROGRAM_TOOLSTACK:
      yield* toolstackTurn(self);
      break;
    case PROGRAM_NETSTACK:
      yield* netstackTurn(self);
      break;
    case PROGRAM_KERNEL_THREAD:
      yield* kernelThreadTurn(self);
      yield* cpuRelax();
      break;
    case PROGRAM_DEVICE:
      yield* deviceTurn(self);
      break;
    default:
      yield* runNetworkTurn(program, self);
      break;
  }
}

/**
 * A program for a number of turns.
 * @param self - its vCPU, or its device. @param turns - how many; -1 for ever.
 */
export function* runProgram(program: number, self: number, turns: number): Op<void> {
  for (let i = 0; i !== turns; i++) yield* runTurn(program, self);
}

/** Fibers: the interrupts of a vCPU or device. @param line - LINE_*. @param self - whose. */
export function* runInterrupts(line: number, self: number): Op<void> {
  switch (line) {
    case LINE_UPCALL:
      yield* upcallActor(self);
      break;
    case LINE_PHYSICAL:
      yield* physicalActor(self);
      break;
    default:
      yield* invalidateActor(self);
      break;
  }
}
