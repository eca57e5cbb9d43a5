/**
 * Interrupts of a reader that runs compiled code: operations of the threads edition look at them
 * before each access, compiled ones only while they wait, and the harness between two chunks.
 */
import { handlePhysical, handleUpcall } from '../../src/hardware/irq.ts';
import { UPCALL_PENDING, Vcpu } from '../../src/hardware/vcpu.ts';
import type { Op } from '../../src/shared/op.ts';
import { readLocal } from '../../src/shared/operations.ts';
import { SLEEPER_SLOTS } from '../../src/shared/processor.ts';
import { Sleepers } from '../../src/threads/control.ts';
import { BenchArgument } from '../tables.ts';

/** Handles what is pending and deliverable. @param v - vCPU that runs this. */
export function* attendInterrupts(v: number): Op<void> {
  if (readLocal(Vcpu.physical.at(v)) !== 0) yield* handlePhysical(v);
  if (readLocal(Vcpu.upcall.at(v)) === UPCALL_PENDING) yield* handleUpcall(v);
}

/** The word that counts who sleeps for a word (processor.ts: sleepOn()). */
export function sleepersOf(word: number): number {
  return Sleepers.value.at(word & (SLEEPER_SLOTS - 1));
}

/** A word that only `v` writes: a locked operation on it is its barrier. */
export function barrierWord(v: number): number {
  return BenchArgument.value.at2(v, 0);
}
