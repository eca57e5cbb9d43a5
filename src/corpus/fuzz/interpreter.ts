/**
 * Runs the program of a thread, step by step (fuzz.actor[%].step[%]).
 */
import { balloonDeflate, balloonInflate } from '../../linux/drivers/balloon.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, readLocal, writeLocal } from '../../shared/operations.ts';
import {
  endDeferredStep,
  endStep,
  freePageStep,
  grantStep,
  newPageStep,
  stampStep,
} from './granter-steps.ts';
import {
  FUZZ_ANONYMOUS,
  FUZZ_BALLOON_IN,
  FUZZ_BALLOON_OUT,
  FUZZ_DONTNEED,
  FUZZ_END,
  FUZZ_END_DEFERRED,
  FUZZ_FREE_PAGE,
  FUZZ_GRANT,
  FUZZ_GUP,
  FUZZ_GUP_FAST,
  FUZZ_LOAD,
  FUZZ_MAP,
  FUZZ_MPROTECT,
  FUZZ_MREMAP,
  FUZZ_MUNMAP,
  FUZZ_NEW_PAGE,
  FUZZ_NOP,
  FUZZ_NOTIFY,
  FUZZ_PUT,
  FUZZ_STAMP,
  FUZZ_STORE,
  FUZZ_TOUCH,
  FUZZ_UNMAP_IOCTL,
} from './opcodes.ts';
import {
  anonymousStep,
  dontneedStep,
  endProcess,
  gupStep,
  mapStep,
  mprotectStep,
  mremapStep,
  munmapStep,
  notifyStep,
  putHeld,
  touchStep,
  unmapIoctlStep,
  userStep,
} from './process-steps.ts';
import { FuzzActor, FuzzRun, FuzzStep } from './tables.ts';

/** Steps that direct I/O makes: others are system calls, made when it is done. */
function isDirectIo(op: number): boolean {
  return op === FUZZ_GUP_FAST || op === FUZZ_GUP || op === FUZZ_TOUCH;
}

/** A step of the kernel that grants, or of either. */
function* granterStep(v: number, op: number, a: number, b: number, c: number): Op<void> {
  switch (op) {
    case FUZZ_GRANT:
      yield* grantStep(v, a, b, c);
      break;
    case FUZZ_END:
      yield* endStep(v, a);
      break;
    case FUZZ_END_DEFERRED:
      yield* endDeferredStep(v, a, b);
      break;
    case FUZZ_STAMP:
      yield* stampStep(v, a);
      break;
    case FUZZ_FREE_PAGE:
      yield* freePageStep(v, a);
      break;
    case FUZZ_NEW_PAGE:
      yield* newPageStep(v, a);
      break;
    case FUZZ_BALLOON_OUT:
      yield* balloonInflate(v, 1);
      break;
    case FUZZ_BALLOON_IN:
      yield* balloonDeflate(v, 1);
      break;
    default:
      break;
  }
}

/** Performs step `at` of a thread. @param v - its vCPU. */
function* runStep(v: number, actor: number, at: number): Op<void> {
  const op = readLocal(FuzzStep.op.at2(actor, at));
  const a = readLocal(FuzzStep.a.at2(actor, at));
  const b = readLocal(FuzzStep.b.at2(actor, at));
  const c = readLocal(FuzzStep.c.at2(actor, at));
  writeLocal(FuzzActor.op.at(actor), op);
  if (!isDirectIo(op)) yield* putHeld(v, actor);
  switch (op) {
    case FUZZ_MAP: {
      const d = readLocal(FuzzStep.d.at2(actor, at));
      yield* mapStep(v, actor, a, b, c, d, readLocal(FuzzStep.e.at2(actor, at)));
      break;
    }
    case FUZZ_MUNMAP:
      yield* munmapStep(v, a, b);
      break;
    case FUZZ_MPROTECT:
      yield* mprotectStep(v, a, b, c);
      break;
    case FUZZ_DONTNEED:
      yield* dontneedStep(v, a, b);
      break;
    case FUZZ_MREMAP:
      yield* mremapStep(v, a, b, c);
      break;
    case FUZZ_ANONYMOUS:
      yield* anonymousStep(v, a, b);
      break;
    case FUZZ_GUP_FAST:
    case FUZZ_GUP:
      yield* gupStep(v, actor, a, b, c, op === FUZZ_GUP_FAST ? 1 : 0);
      break;
    case FUZZ_TOUCH:
      yield* touchStep(v, actor);
      break;
    case FUZZ_PUT:
      break;
    case FUZZ_LOAD:
    case FUZZ_STORE:
      yield* userStep(v, actor, a, op === FUZZ_STORE ? 1 : 0);
      break;
    case FUZZ_UNMAP_IOCTL:
      yield* unmapIoctlStep(v, a);
      break;
    case FUZZ_NOTIFY:
      yield* notifyStep(v, a, b, c);
      break;
    default:
      yield* granterStep(v, op, a, b, c);
      break;
  }
}

/**
 * Runs the steps of a thread.
 * @param v - its vCPU. @param actor - its row of the program.
 */
export function* runFuzzSteps(v: number, actor: number): Op<void> {
  const steps = readLocal(FuzzActor.steps.at(actor));
  for (let at = 0; at < steps; at++) yield* runStep(v, actor, at);
  yield* putHeld(v, actor);
  writeLocal(FuzzActor.op.at(actor), FUZZ_NOP);
}

/**
 * A thread of the process that maps, or of the kernel that grants. The last thread of the process
 * to finish ends the process.
 * @param v - its vCPU. @param actor - its row. @param maps - 1 for the process that maps.
 */
export function* runFuzzActor(v: number, actor: number, maps: number): Op<void> {
  yield* runFuzzSteps(v, actor);
  if (maps === 1 && (yield* fetchAdd(FuzzRun.threads.word, -1)) === 1) yield* endProcess(v);
}
