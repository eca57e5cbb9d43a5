/**
 * The kernel mapping of a page whose grant is unmapped was emptied first and reinstated afterwards:
 * whoever read through it in between faulted in the kernel.
 *
 * The function is the part of m2p_remove_override() that deals with the kernel mapping, in Linux
 * 3.11 (arch/x86/xen/p2m.c).
 */
import { cpuLoad } from '../../hardware/access.ts';
import { PTE_PRESENT, PTE_RW, makePte } from '../../hardware/paging.ts';
import { domainOf, firstVcpuOf, kernelBase } from '../../hardware/params.ts';
import { replaceByScratch } from '../../linux/designs/m2p-override.ts';
import { BUG_BALLOON } from '../../linux/drivers/bugs.ts';
import { MapPage } from '../../linux/drivers/gntdev/grant-map.ts';
import { BUG_KERNEL_READ_FAULT } from '../../linux/mm/bugs.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { pfnToMfn } from '../../linux/mm/p2m.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, warnOn } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { gnttabUnmapGrantRef } from '../../xen/grant-table/unmap.ts';
import { mmuextInvlpgLocal, updateVaMapping } from '../../xen/mmu.ts';
import { UNMAP_HOST_ADDR } from '../../xen/public/grant-table.ts';
import { BACKEND, RaceProcess, grantPage, mapGrants, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

const VPN = 2;

/** Linux 3.11: one hypercall empties the entry, a second one fills it again. */
export function* unmapThenReinstate(v: number, kunmapOp: number): Op {
  const vpn = readLocal(kunmapOp + UNMAP_HOST_ADDR);
  yield* gnttabUnmapGrantRef(v, kunmapOp, 1);
  const mfn = yield* pfnToMfn(domainOf(v), vpn - kernelBase());
  const status = yield* updateVaMapping(v, vpn, makePte(mfn, PTE_PRESENT | PTE_RW));
  warnOn(status !== 0, BUG_BALLOON, vpn, status);
  yield* mmuextInvlpgLocal(v, vpn);
  return 0;
}

function* arrange(): Op<void> {
  yield* startProcess(1);
  yield* grantPage(0);
  yield* mapGrants(firstVcpuOf(BACKEND), 0, 1, VPN);
}

function* unmap(): Op<void> {
  yield* doMunmap(firstVcpuOf(BACKEND), readLocal(RaceProcess.mm.word), VPN, 1);
}

/** A copy of the packet is sent once more, long after whoever held the page has let go of it. */
function* strayRead(): Op<void> {
  const vpn = kernelBase() + pfnOf(readLocal(MapPage.value.at2(0, 0)));
  const fault = yield* cpuLoad(firstVcpuOf(BACKEND) + 1, vpn, 0);
  warnOn(fault !== 0, BUG_KERNEL_READ_FAULT, vpn, fault);
}

export const unmapThenReinstateRace: Race = {
  name: 'l4-unmap-then-reinstate',
  about: 'A stray read through the kernel mapping of a page whose grant is being unmapped.',
  sources: [
    'Linux 3.11, arch/x86/xen/p2m.c: m2p_remove_override()',
    'Linux 3.12, commits cd9151e26d31 and ee0726407fea',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'unmap', vcpu: 0, body: unmap },
    { role: 'stray read', vcpu: 1, body: strayRead },
  ],
  kernelThreads: [],
  bug: {
    id: 'L4',
    title: 'Between the unmap of a grant and the old mapping there is none',
    story: [
      'A grant is mapped over a ballooned page, at the kernel address of the page too.',
      'The unmap empties the kernel entry by GNTTABOP_unmap_grant_ref.',
      'Something that still knows the address reads through it: a page fault in the kernel.',
      'Only then the entry gets the mapping of the scratch page, made for just such reads.',
    ],
    breaks: ['kernel'],
    fix: 'GNTTABOP_unmap_and_replace exchanges the entry in one step.',
    fixedIn: 'Linux 3.12, commit ee0726407fea',
    before: {
      design: 'm2p-override',
      overrides: [replaces(replaceByScratch, unmapThenReinstate)],
    },
    after: { design: 'm2p-override', overrides: [] },
  },
};
