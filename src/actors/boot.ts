/**
 * The boot of a machine after the hypervisor: every domain's kernel, then what the workload needs:
 * address spaces and open files of the programs in user space, channels between frontends and
 * backends, devices. Runs alone.
 */
import { Device } from '../hardware/iommu.ts';
import { domainOf, firstVcpuOf } from '../hardware/params.ts';
import { tlbFlushLocal } from '../hardware/tlb.ts';
import { Vcpu } from '../hardware/vcpu.ts';
import { gntdevOpen } from '../linux/drivers/gntdev/file.ts';
import { bootDrivers } from '../linux/drivers/tables.ts';
import { bootLinux } from '../linux/mm/boot.ts';
import { mmCreate, switchMm } from '../linux/mm/mm-life.ts';
import { ConfigError } from '../shared/layout.ts';
import { readLocal, runAlone, writeLocal } from '../shared/operations.ts';
import type { Config } from '../shared/table.ts';
import { evtchnAllocUnbound, evtchnBindInterdomain, evtchnBindVcpu } from '../xen/event-channel.ts';
import { NO_PAGE } from '../linux/mm/page.ts';
import { Channel } from './channel.ts';
import { SAMEHOST, VIF, bootGuestNetwork, isGuestNetwork } from './guest-network.ts';
import { StorePage } from './programs/net-guest.ts';
import {
  PROGRAM_ASYNC_BACKEND,
  PROGRAM_TOOLSTACK,
  PROGRAM_USER_BACKEND,
} from './programs/program.ts';
import { ReceivePage } from './storage.ts';
import { Task } from './task.ts';
import { NetRing } from './vif.ts';
import { workerCount, workloadActors } from './workload.ts';

/** Only one vCPU runs at a time during boot: no others to interrupt. */
export function takeAllOffline(config: Config): void {
  for (let v = 0; v < (config['vcpus'] ?? 0); v++) writeLocal(Vcpu.online.at(v), 0);
}

/** Boots the kernels of all domains. @throws ConfigError if the machine is too small for them. */
export function bootDomains(config: Config): void {
  for (let d = 0; d < (config['domains'] ?? 0); d++) {
    const v = firstVcpuOf(d);
    if (runAlone(bootLinux(v, d)) !== 0) throw new ConfigError(`too few frames for domain ${d}`);
    bootDrivers(v, d);
  }
}

/** Does a program map grants through gntdev? */
function runsInUserSpace(program: number): boolean {
  return (
    program === PROGRAM_USER_BACKEND ||
    program === PROGRAM_ASYNC_BACKEND ||
    program === PROGRAM_TOOLSTACK
  );
}

/** A process with an open gntdev file on a vCPU. */
function bootProcess(v: number): void {
  const mm = runAlone(mmCreate(v));
  if (mm < 0) throw new ConfigError('too few address spaces or pages for the programs');
  runAlone(switchMm(v, mm));
  const fd = runAlone(gntdevOpen(v, mm));
  if (fd < 0) throw new ConfigError('too few open files for the programs');
  writeLocal(Task.mm.at(v), mm);
  writeLocal(Task.fd.at(v), fd);
}

function listensTo(v: number, port: number): void {
  if (port <= 0 || port > 31) throw new ConfigError('too few event channels for the frontends');
  runAlone(evtchnBindVcpu(v, port, v));
  writeLocal(Task.portMask.at(v), readLocal(Task.portMask.at(v)) | (1 << port));
}

/** Connects a frontend with its backend. */
function bootChannel(c: number, front: number, back: number): void {
  const backPort = runAlone(evtchnAllocUnbound(back, domainOf(front)));
  const frontPort = runAlone(evtchnBindInterdomain(front, domainOf(back), backPort));
  writeLocal(Channel.front.at(c), front);
  writeLocal(Channel.back.at(c), back);
  writeLocal(Channel.backPort.at(c), backPort);
  writeLocal(Channel.frontPort.at(c), frontPort);
  writeLocal(Task.channel.at(front), c);
  listensTo(front, frontPort);
  listensTo(back, backPort);
}

/** The frontends' channels. */
function bootChannels(workload: string, config: Config): void {
  for (let c = 0; c < Channel.back.count; c++) writeLocal(Channel.back.at(c), -1);
  if (workload === VIF) return;
  const workers = workerCount(config);
  const sameHost = workload === SAMEHOST;
  const fronts = (config['domains'] ?? 0) - (sameHost ? 1 : 0);
  for (let d = 1; d < fronts; d++) {
    for (let i = 0; i < (sameHost ? workers - 1 : workers); i++) {
      bootChannel((d - 1) * workers + i, firstVcpuOf(d) + i, firstVcpuOf(0) + i);
    }
  }
}

/** Words that say "none" before their first use. */
function bootNone(): void {
  for (const field of [NetRing.front, NetRing.back]) {
    for (let n = 0; n < field.count; n++) writeLocal(field.at(n), -1);
  }
  for (const { value } of [ReceivePage, StorePage]) {
    for (let i = 0; i < value.count; i++) writeLocal(value.at(i), NO_PAGE);
  }
}

/** Prepares what the actors of a workload need, and puts their vCPUs and devices online. */
export function bootWorkload(workload: string, config: Config): void {
  for (let v = 0; v < (config['vcpus'] ?? 0); v++) {
    for (const field of [Task.channel, Task.mm, Task.fd]) writeLocal(field.at(v), -1);
  }
  const actors = workloadActors(workload, config);
  for (const { vcpu, program } of actors) {
    if (vcpu < 0) continue;
    writeLocal(Task.program.at(vcpu), program);
    if (runsInUserSpace(program)) bootProcess(vcpu);
  }
  bootNone();
  bootChannels(workload, config);
  if (isGuestNetwork(workload)) bootGuestNetwork(workload, config);
  for (const { vcpu, device, domid } of actors) {
    if (device >= 0) {
      writeLocal(Device.domid.at(device), domid);
      writeLocal(Device.online.at(device), 1);
    } else {
      // What others changed while this vCPU was offline.
      runAlone(tlbFlushLocal(vcpu));
      writeLocal(Vcpu.online.at(vcpu), 1);
    }
  }
}
