/**
 * A race on its machine: the tables, the sizes and everybody who runs, as an explorer or lockstep
 * takes them. Same race, same design: same actors in the same order in every edition.
 */
import { physicalActor, upcallActor } from '../hardware/irq.ts';
import { Vcpu } from '../hardware/vcpu.ts';
import { machineConfig, machineTables, tinySizes } from '../actors/machine.ts';
import { PROGRAM_KERNEL_THREAD, runProgram } from '../actors/programs/program.ts';
import { DESIGN_NAMES } from '../linux/designs/design.ts';
import { vcpuName } from '../shared/layout.ts';
import type { Op } from '../shared/op.ts';
import { writeLocal } from '../shared/operations.ts';
import type { AnyTable, Config } from '../shared/table.ts';
import { dmaRaceTables } from './dma-buffer.ts';
import { linuxRaceTables } from './linux/tables.ts';
import { raceFileDefaults, raceFileTables } from './process-files.ts';
import { corpusDefaults, corpusTables } from './process.ts';
import type { Race } from './race.ts';
import { variantOf } from './race.ts';
import { hypercallDefaults, hypercallTables } from './xen/hypercalls.ts';

/** One who runs in a race: a side of it, a kernel thread, or an interrupt of one of these. */
export interface PosedActor {
  readonly name: string;
  readonly vcpu: number;
  readonly body: () => Op<void>;
  readonly daemon: boolean;
  /** Hardware of its own: nothing interrupts it, and it has no TLB. */
  readonly hardware?: 'device' | 'cache';
  readonly interrupts?: { readonly actor: number; readonly word: number };
}

/** The tables of every race's machine. */
export const raceTables: readonly AnyTable[] = [
  ...machineTables,
  ...corpusTables,
  ...raceFileTables,
  ...hypercallTables,
  ...linuxRaceTables,
  ...dmaRaceTables,
];

/** The sizes of a race's machine. @param design - one of the race's. */
export function raceConfig(race: Race, design: string): Config {
  return machineConfig({
    ...tinySizes,
    ...corpusDefaults,
    ...raceFileDefaults,
    ...hypercallDefaults,
    ...race.sizes,
    design: DESIGN_NAMES.indexOf(variantOf(race, design).design),
  });
}

/** The sides of the race, then the kernel threads, then the interrupts of all their vCPUs. */
export function raceActors(race: Race, config: Config): PosedActor[] {
  const perDomain = config['vcpusPerDomain'] ?? 1;
  const nameOf = (vcpu: number): string => vcpuName(vcpu, perDomain);
  const tasks: PosedActor[] = race.actors.map(({ role, vcpu, hardware, body }) => ({
    name: hardware === undefined ? `${nameOf(vcpu)} ${role}` : `${hardware} ${role}`,
    vcpu,
    body,
    daemon: false,
    ...(hardware === undefined ? {} : { hardware }),
  }));
  for (const d of race.kernelThreads) {
    const vcpu = (d + 1) * perDomain - 1;
    const body = () => runProgram(PROGRAM_KERNEL_THREAD, vcpu, -1);
    tasks.push({ name: `${nameOf(vcpu)} kernel thread`, vcpu, body, daemon: true });
  }
  const interrupts = tasks.flatMap(({ vcpu, hardware }, actor): PosedActor[] =>
    hardware === undefined ? interruptsOf(vcpu, nameOf(vcpu), actor) : [],
  );
  return [...tasks, ...interrupts];
}

/** The interrupts of a vCPU. @param actor - who runs on it. */
function interruptsOf(vcpu: number, name: string, actor: number): PosedActor[] {
  return [
    {
      name: `${name} upcall`,
      vcpu,
      body: () => upcallActor(vcpu),
      daemon: true,
      interrupts: { actor, word: Vcpu.upcall.at(vcpu) },
    },
    {
      name: `${name} physical interrupt`,
      vcpu,
      body: () => physicalActor(vcpu),
      daemon: true,
      interrupts: { actor, word: Vcpu.physical.at(vcpu) },
    },
  ];
}

/** Only vCPUs that somebody runs on take part in TLB flushes. */
export function bringOnline(actors: readonly PosedActor[], vcpus: number): void {
  for (let v = 0; v < vcpus; v++) {
    const used = actors.some(({ vcpu, hardware }) => vcpu === v && hardware === undefined);
    writeLocal(Vcpu.online.at(v), used ? 1 : 0);
  }
}
