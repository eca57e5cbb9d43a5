/**
 * Workloads in which guests of one host talk to each other through netback in domain 0: who runs
 * what, and the interfaces.
 *
 * The last domain is the far end: its first vCPU serves one interface. The others, from 1 on, are
 * frontends. Worker threads of domain 0:
 *   samehost  blkback on all workers but the last, which runs netback's tx side for the storage
 *             guest; each frontend worker but the last has a block channel
 *   vif       netback's tx side for all senders on the first worker, its dealloc thread on the
 *             second; each frontend worker sends
 * netback's rx thread has the vCPU of the network stack.
 */
import { Task } from './task.ts';
import { allocBalloonedPages } from '../linux/drivers/balloon.ts';
import { pendingPage } from '../linux/drivers/netback-pending.ts';
import { NetbackSlot } from '../linux/drivers/netback.ts';
import { allocPage } from '../linux/mm/page-alloc.ts';
import { NO_PAGE } from '../linux/mm/page.ts';
import { ConfigError } from '../shared/layout.ts';
import { readLocal, runAlone, writeLocal } from '../shared/operations.ts';
import type { Config } from '../shared/table.ts';
import { evtchnAllocUnbound, evtchnBindInterdomain, evtchnBindVcpu } from '../xen/event-channel.ts';
import { domainOf } from '../hardware/params.ts';
import { postBuffer } from './programs/netfront.ts';
import { NetRing, NetSlot, RX, TX, netRingOf } from './vif.ts';

export const SAMEHOST = 'samehost';
export const VIF = 'vif';

/** Do guests of this host talk to each other in a workload? */
export function isGuestNetwork(workload: string): boolean {
  return workload === SAMEHOST || workload === VIF;
}

/** Domains that a workload has at least. */
export function fewestDomains(workload: string): number {
  return isGuestNetwork(workload) ? 3 : 2;
}

/** @throws ConfigError if the machine is too small for netback and the guests. */
export function checkGuestNetwork(workload: string, config: Config): void {
  const domains = config['domains'] ?? 0;
  const workers = (config['vcpusPerDomain'] ?? 0) - 2;
  if (domains < fewestDomains(workload)) {
    throw new ConfigError(`workload ${workload} needs at least 3 domains, not ${domains}`);
  }
  if (workers < 2) {
    const has = `each domain has ${workers}`;
    throw new ConfigError(`workload ${workload} needs 2 vCPUs that run programs; ${has}`);
  }
}

function listensTo(v: number, port: number): void {
  if (port <= 0 || port > 31) throw new ConfigError('too few event channels for the interfaces');
  runAlone(evtchnBindVcpu(v, port, v));
  writeLocal(Task.portMask.at(v), readLocal(Task.portMask.at(v)) | (1 << port));
}

/** Connects a ring. @param front - vCPU of the guest. @param back - vCPU of domain 0. */
function bootRing(n: number, front: number, back: number): void {
  const backPort = runAlone(evtchnAllocUnbound(back, domainOf(front)));
  const frontPort = runAlone(evtchnBindInterdomain(front, domainOf(back), backPort));
  writeLocal(NetRing.front.at(n), front);
  writeLocal(NetRing.back.at(n), back);
  writeLocal(NetRing.backPort.at(n), backPort);
  writeLocal(NetRing.frontPort.at(n), frontPort);
  listensTo(front, frontPort);
  listensTo(back, backPort);
}

/** The guest fills its rx ring with buffers. */
function bootBuffers(v: number, n: number): void {
  for (let slot = 0; slot < NetSlot.ref.count; slot++) {
    const pg = runAlone(allocPage(v));
    if (pg === NO_PAGE || runAlone(postBuffer(v, n, slot, pg)) !== 0) {
      throw new ConfigError('too few pages or grants for the buffers of an interface');
    }
  }
}

/** gnttab_alloc_pages() of xenvif_init_queue(): the pages that packets are mapped over. */
function bootPendingPages(): void {
  for (let slot = 0; slot < NetbackSlot.page.count; slot++) {
    if (runAlone(allocBalloonedPages(0, 1, pendingPage(0, slot))) !== 0) {
      throw new ConfigError('too few pages for the packets of netback');
    }
  }
}

/** Connects the interfaces of a workload. */
export function bootGuestNetwork(workload: string, config: Config): void {
  const perDomain = config['vcpusPerDomain'] ?? 0;
  const workers = perDomain - 2;
  const last = (config['domains'] ?? 0) - 1;
  const far = last * perDomain;
  const farVif = (last - 1) * workers;
  const rxThread = perDomain - 2;
  bootRing(netRingOf(farVif, RX), far, rxThread);
  writeLocal(Task.channel.at(far), farVif);
  writeLocal(Task.channel.at(rxThread), netRingOf(farVif, RX));
  bootBuffers(far, netRingOf(farVif, RX));
  if (workload === SAMEHOST) {
    bootRing(netRingOf(farVif, TX), far, workers - 1);
    return;
  }
  bootPendingPages();
  for (let d = 1; d < last; d++) {
    for (let i = 0; i < workers; i++) {
      const vif = (d - 1) * workers + i;
      writeLocal(Task.channel.at(d * perDomain + i), vif);
      bootRing(netRingOf(vif, TX), d * perDomain + i, 0);
    }
  }
}
