/**
 * Workloads: which actors there are and which program each runs.
 *
 * Domain 0 is the driver domain. Of every domain's vCPUs the last runs the kernel threads, in
 * domain 0 the last but one runs the network stack, and those before are workers. Worker i of each
 * other domain is a frontend; its channel leads to worker i of domain 0, so a backend serves as
 * many channels as there are frontend domains.
 */
import type { Op } from '../shared/op.ts';
import type { Config } from '../shared/table.ts';
import { Device } from '../hardware/iommu.ts';
import { Vcpu } from '../hardware/vcpu.ts';
import { vcpuName } from '../shared/layout.ts';
import {
  PROGRAM_ASYNC_BACKEND,
  LINE_INVALIDATE,
  LINE_PHYSICAL,
  LINE_UPCALL,
  PROGRAM_BLKBACK,
  PROGRAM_BLKFRONT,
  PROGRAM_DEVICE,
  PROGRAM_KERNEL_THREAD,
  PROGRAM_NETBACK_COPY,
  PROGRAM_NETBACK_DEALLOC,
  PROGRAM_NETBACK_MAP,
  PROGRAM_NETBACK_RX,
  PROGRAM_NETSTACK,
  PROGRAM_NET_GUEST,
  PROGRAM_NET_SENDER,
  PROGRAM_TOOLSTACK,
  PROGRAM_USER_BACKEND,
  runInterrupts,
  runProgram,
} from './programs/program.ts';
import { SAMEHOST, VIF, checkGuestNetwork, isGuestNetwork } from './guest-network.ts';
import { DISK, NIC } from './storage.ts';

/** Workloads by name: the programs of the workers of domain 0, in turn. */
export const workloads: ReadonlyMap<string, readonly number[]> = new Map([
  ['block', [PROGRAM_BLKBACK, PROGRAM_USER_BACKEND]],
  ['toolstack', [PROGRAM_TOOLSTACK]],
  ['mixed', [PROGRAM_BLKBACK, PROGRAM_USER_BACKEND, PROGRAM_TOOLSTACK]],
  ['network', [PROGRAM_BLKBACK]],
  ['direct', [PROGRAM_USER_BACKEND]],
  ['async', [PROGRAM_ASYNC_BACKEND]],
  [SAMEHOST, [PROGRAM_BLKBACK, PROGRAM_NETBACK_COPY]],
  [VIF, [PROGRAM_NETBACK_MAP, PROGRAM_NETBACK_DEALLOC]],
]);

/** An actor of a workload. */
export interface WorkloadActor {
  /** d1v0, nic, disk. */
  readonly name: string;
  readonly kind: 'vcpu' | 'domain' | 'device';
  /** The vCPU it runs on; -1 for a device. */
  readonly vcpu: number;
  /** The device that it is; -1 for a vCPU. */
  readonly device: number;
  /** The domain on whose behalf it accesses memory. */
  readonly domid: number;
  /** PROGRAM_* */
  readonly program: number;
  /**
   * Who comes to rest first: 0 asks for work, 1 serves requests, 2 does what both leave over. All
   * above 0 wait for work inside a turn, and for ever if none comes.
   */
  readonly restsAs: number;
}

function at(config: Config, key: string): number {
  const value = config[key];
  if (value === undefined) throw new RangeError(`the configuration lacks ${key}`);
  return value;
}

/** Workers of each domain. */
export function workerCount(config: Config): number {
  return at(config, 'vcpusPerDomain') - 2;
}

/** The program of worker i of domain 0. */
export function backendProgram(workload: string, i: number): number {
  const programs = workloads.get(workload);
  if (programs === undefined) throw new RangeError(`there is no workload ${workload}`);
  return programs[i % programs.length] as number;
}

/** The actors of guests that talk to each other: see guest-network.ts. */
function guestNetworkActors(workload: string, config: Config): readonly WorkloadActor[] {
  checkGuestNetwork(workload, config);
  const perDomain = at(config, 'vcpusPerDomain');
  const workers = workerCount(config);
  const last = at(config, 'domains') - 1;
  const actors: WorkloadActor[] = [];
  const vcpu = (d: number, i: number, program: number, restsAs: number): void => {
    const v = d * perDomain + i;
    const kind = program === PROGRAM_KERNEL_THREAD ? 'domain' : 'vcpu';
    const name = vcpuName(v, perDomain);
    actors.push({ name, kind, vcpu: v, device: -1, domid: d, program, restsAs });
  };
  const block = workload === SAMEHOST;
  const fronts = block ? workers - 1 : workers;
  const front = block ? PROGRAM_BLKFRONT : PROGRAM_NET_SENDER;
  for (let d = 1; d < last; d++) for (let i = 0; i < fronts; i++) vcpu(d, i, front, 0);
  if (block) for (let i = 0; i < fronts; i++) vcpu(0, i, PROGRAM_BLKBACK, 1);
  else vcpu(0, 0, PROGRAM_NETBACK_MAP, 1);
  vcpu(0, perDomain - 2, PROGRAM_NETBACK_RX, 2);
  vcpu(last, 0, PROGRAM_NET_GUEST, 2);
  if (block) vcpu(0, workers - 1, PROGRAM_NETBACK_COPY, 2);
  else vcpu(0, 1, PROGRAM_NETBACK_DEALLOC, 2);
  for (let d = 0; d <= last; d++) vcpu(d, perDomain - 1, PROGRAM_KERNEL_THREAD, 2);
  return actors;
}

/** The actors of a workload on a machine of this configuration, frontends first. */
export function workloadActors(workload: string, config: Config): readonly WorkloadActor[] {
  if (isGuestNetwork(workload)) return guestNetworkActors(workload, config);
  const domains = at(config, 'domains');
  const perDomain = at(config, 'vcpusPerDomain');
  const workers = workerCount(config);
  const actors: WorkloadActor[] = [];
  const vcpu = (d: number, i: number, program: number, restsAs: number): void => {
    const v = d * perDomain + i;
    const kind = program === PROGRAM_KERNEL_THREAD ? 'domain' : 'vcpu';
    const name = vcpuName(v, perDomain);
    actors.push({ name, kind, vcpu: v, device: -1, domid: d, program, restsAs });
  };
  const device = (name: string, dev: number): void => {
    const program = PROGRAM_DEVICE;
    actors.push({ name, kind: 'device', vcpu: -1, device: dev, domid: 0, program, restsAs: 2 });
  };
  for (let d = 1; d < domains; d++) {
    for (let i = 0; i < workers; i++) vcpu(d, i, PROGRAM_BLKFRONT, 0);
  }
  const used = new Set<number>();
  for (let i = 0; i < workers; i++) {
    const program = backendProgram(workload, i);
    used.add(program);
    vcpu(0, i, program, 1);
  }
  if (used.has(PROGRAM_BLKBACK)) vcpu(0, perDomain - 2, PROGRAM_NETSTACK, 2);
  for (let d = 0; d < domains; d++) vcpu(d, perDomain - 1, PROGRAM_KERNEL_THREAD, 2);
  if (used.has(PROGRAM_BLKBACK)) device('nic', NIC);
  if (used.has(PROGRAM_USER_BACKEND) || used.has(PROGRAM_ASYNC_BACKEND)) device('disk', DISK);
  return actors;
}

/** An actor as an explorer takes it (src/explore/actor.ts). */
export interface Fiber {
  readonly name: string;
  readonly body: () => Op<void>;
  readonly daemon?: boolean;
  readonly interrupts?: { readonly actor: number; readonly word: number };
}

/**
 * The actors of a workload as fibers, each vCPU's and device's interrupts behind them.
 * @param turns - of each frontend; the others run as long as there is work.
 */
export function workloadFibers(actors: readonly WorkloadActor[], turns: number): Fiber[] {
  const fibers = actors.map((actor): Fiber => {
    const self = actor.device < 0 ? actor.vcpu : actor.device;
    const times = actor.restsAs === 0 ? turns : -1;
    const body = () => runProgram(actor.program, self, times);
    return { name: actor.name, body, daemon: actor.restsAs !== 0 };
  });
  const line = (name: string, actor: number, kind: number, self: number, word: number): void => {
    const body = () => runInterrupts(kind, self);
    fibers.push({ name, body, daemon: true, interrupts: { actor, word } });
  };
  actors.forEach(({ name, vcpu, device }, i) => {
    if (device >= 0) {
      line(`${name}.iotlb`, i, LINE_INVALIDATE, device, Device.invalidate.at(device));
    } else {
      line(`${name}.upcall`, i, LINE_UPCALL, vcpu, Vcpu.upcall.at(vcpu));
      line(`${name}.physical`, i, LINE_PHYSICAL, vcpu, Vcpu.physical.at(vcpu));
    }
  });
  return fibers;
}
