/** The options that size a stress machine and choose what runs on it. */
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { FAULT_FORM, parseFault } from '../threads/fault.ts';
import type { PlannedFault } from '../threads/fault.ts';
import type { WorldOptions } from '../threads/world.ts';
import { fewestDomains } from '../actors/guest-network.ts';
import { workloads } from '../actors/workload.ts';
import { UsageError, oneOf, positiveNumber, seedNumber, wholeNumber } from './usage.ts';

/** Designs that can be stressed. */
export const DESIGNS: readonly string[] = EVERY_DESIGN;
export const WORKLOADS: readonly string[] = [...workloads.keys()];

/** What a workload can be asked to leave out. */
export const PARTS = ['second-mapping', 'late-dma', 'split'] as const;

/** More than any run wants: a week. */
const MOST_SECONDS = 604_800;

/** Options of the command line as commander hands them over. */
export interface RawMachineOptions {
  readonly design?: string;
  readonly workload: string;
  readonly domains?: string;
  readonly vcpus: string;
  readonly frames?: string;
  readonly seconds: string;
  readonly seed?: string;
  readonly fault?: string;
  readonly without?: readonly string[];
}

/** The same, read and found to make sense. */
export interface MachineOptions {
  readonly workload: string;
  readonly seconds: number;
  readonly seed: bigint;
  readonly fault: PlannedFault | undefined;
  /** For the world; the design is still to be added. */
  readonly world: WorldOptions;
}

/** Reads the options. @throws UsageError with the first that makes no sense. */
export function readMachineOptions(raw: RawMachineOptions): MachineOptions {
  const without = (raw.without ?? [])
    .flatMap((parts) => parts.split(','))
    .filter((part) => part !== '');
  for (const part of without) oneOf(part, PARTS, 'part of a workload');
  const fault = raw.fault === undefined ? undefined : parseFault(raw.fault);
  if (raw.fault !== undefined && fault === undefined) {
    throw new UsageError(`--fault must look like ${FAULT_FORM}, not "${raw.fault}"`);
  }
  const workload = oneOf(raw.workload, WORKLOADS, 'workload');
  const frames = raw.frames === undefined ? 0 : wholeNumber(raw.frames, '--frames', 1);
  return {
    workload,
    seconds: positiveNumber(raw.seconds, '--seconds', MOST_SECONDS),
    seed: raw.seed === undefined ? randomSeed() : seedNumber(raw.seed),
    fault,
    world: {
      workload,
      domains: domainsOf(raw.domains, fewestDomains(workload)),
      vcpus: wholeNumber(raw.vcpus, '--vcpus', 1),
      frames,
      without,
    },
  };
}

/** Domains as asked for, or as few as the workload has. */
function domainsOf(asked: string | undefined, fewest: number): number {
  return asked === undefined ? fewest : wholeNumber(asked, '--domains', fewest);
}

function randomSeed(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
}

/** A 64-bit seed as the 32 bits that the actors' generators take. */
export function foldSeed(seed: bigint): number {
  return Number(BigInt.asIntN(32, seed ^ (seed >> 32n)));
}
