/**
 * The Xen machine as a world for free-running threads: hypervisor, guests, a workload's programs,
 * and the oracle that watches them.
 */
import { bootMachine, machineConfig, machineTables, realSizes } from '../src/actors/machine.ts';
import { PROGRAM_TOOLSTACK, runTurn } from '../src/actors/programs/program.ts';
import type { WorkloadActor } from '../src/actors/workload.ts';
import { workloadActors, workloads } from '../src/actors/workload.ts';
import { Device, handleInvalidate } from '../src/hardware/iommu.ts';
import { handlePhysical, handleUpcall } from '../src/hardware/irq.ts';
import { UPCALL_PENDING, Vcpu } from '../src/hardware/vcpu.ts';
import { DESIGN_NAMES } from '../src/linux/designs/design.ts';
import { checkAtRest, nothingDeferred } from '../src/oracle/at-rest.ts';
import { checkHandles } from '../src/oracle/invariants/handles.ts';
import { createOracle } from '../src/oracle/oracle.ts';
import { oracleDefaults, oracleTables } from '../src/oracle/shadow.ts';
import { explain } from '../src/oracle/violation.ts';
import type { Machine } from '../src/shared/layout.ts';
import { ConfigError } from '../src/shared/layout.ts';
import type { InterruptLines } from '../src/shared/processor.ts';
import type { Config } from '../src/shared/table.ts';
import type { ActorProgram, Report, World, WorldOptions } from '../src/threads/world.ts';

/** vCPUs of a domain beside those that run programs: the network stack's, the kernel threads'. */
const SERVICE_VCPUS = 2;
/** A mask of vCPUs is one word. */
const MOST_VCPUS = 32;

/**
 * Pools whose slots come back only after a grace period or a delay: on a busy host the thread that
 * brings them back may wait long for a core, and no workload is meant to fail by that.
 */
const POOLS: Config = { rcuCallbacks: 8192, delayedWorks: 1024, vmas: 2048, vmaNodes: 16_384 };

/** Sizes of the machine that the options ask for. */
function sizesOf(options: WorldOptions): Config {
  const domains = Number(options['domains']);
  const vcpusPerDomain = Number(options['vcpus']) + SERVICE_VCPUS;
  const vcpus = domains * vcpusPerDomain;
  if (vcpus > MOST_VCPUS) {
    throw new ConfigError(
      `${domains} domains of ${vcpusPerDomain} vCPUs are ${vcpus} vCPUs; ` +
        `a machine has at most ${MOST_VCPUS} (${SERVICE_VCPUS} of each domain serve the others)`,
    );
  }
  const without = options['without'] as readonly string[];
  const frames = Number(options['frames']);
  return machineConfig({
    ...realSizes,
    ...oracleDefaults,
    ...POOLS,
    domains,
    vcpusPerDomain,
    frames: frames > 0 ? frames : domains * realSizes['frames']!,
    design: DESIGN_NAMES.indexOf(String(options['design'])),
    secondMapping: without.includes('second-mapping') ? 0 : 1,
    lateDma: without.includes('late-dma') ? 0 : 1,
    split: !without.includes('split') && hasToolstack(String(options['workload'])) ? 1 : 0,
  });
}

/** Only a toolstack splits its mappings; the block backends use them whole. */
function hasToolstack(workload: string): boolean {
  return workloads.get(workload)?.includes(PROGRAM_TOOLSTACK) === true;
}

/** Options: design, workload, domains, vcpus, frames (0: enough), without. */
export function createWorld(options: WorldOptions): World {
  const workload = String(options['workload']);
  const config = sizesOf(options);
  const actors = workloadActors(workload, config);
  return {
    tables: [...machineTables, ...oracleTables],
    config,
    boot: () => bootMachine(workload, config),
    actors: () => actors.map(({ name, kind, restsAs }) => ({ name, role: kind, restsAs })),
    lines: (_machine, actor) => linesOf(actors[actor] as WorkloadActor),
    program: (machine, actor, report) => programOf(machine, actors, actor, report),
    checkStopped: (_machine, report) => checkHandles(false, report),
    checkAtRest: (_machine, report) => checkAtRest(report),
    atRest: () => nothingDeferred(),
    explain,
  };
}

/** What interrupts an actor. */
function linesOf({ vcpu, device }: WorkloadActor): InterruptLines {
  const isDevice = device >= 0;
  return {
    physicalWord: isDevice ? Device.invalidate.at(device) : Vcpu.physical.at(vcpu),
    upcallWord: isDevice ? 0 : Vcpu.upcall.at(vcpu),
    upcallDeliverable: UPCALL_PENDING,
    physical: () => (isDevice ? handleInvalidate(device) : handlePhysical(vcpu)),
    upcall: () => handleUpcall(vcpu),
  };
}

/** What an actor runs. */
function programOf(
  machine: Machine,
  actors: readonly WorkloadActor[],
  index: number,
  report: Report,
): ActorProgram {
  const { program, vcpu, device } = actors[index] as WorkloadActor;
  const self = device >= 0 ? device : vcpu;
  const who = actors.map((actor) => ({
    vcpu: actor.vcpu,
    domid: actor.domid,
    device: actor.device >= 0,
  }));
  return {
    iterate: () => runTurn(program, self),
    observer: createOracle(machine, who, report),
  };
}
