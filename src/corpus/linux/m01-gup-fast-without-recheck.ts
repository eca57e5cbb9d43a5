/**
 * get_user_pages_fast() on x86 before it shared the generic code: it took a plain reference and
 * never looked at the entry again. On bare metal that is right: with interrupts off the walker
 * holds up the flush, and with it the free. A PV guest flushes by hypercall, which Xen makes on the
 * physical CPUs whatever the guest masks.
 *
 * The function is that of Linux 4.11 (arch/x86/mm/gup.c: gup_pte_range()).
 */
import { PTE_SPECIAL, pteMfn } from '../../hardware/paging.ts';
import { firstVcpuOf } from '../../hardware/params.ts';
import { designPageBehindMfn } from '../../linux/designs/design.ts';
import { getUserPagesFastOnly, gupFastPte, pteAccessPermitted } from '../../linux/mm/gup-fast.ts';
import { FOLL_WRITE } from '../../linux/mm/gup.ts';
import { mmapRegion } from '../../linux/mm/mmap.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { NO_PAGE, getPage, putPage } from '../../linux/mm/page.ts';
import { userStore } from '../../linux/mm/user-access.ts';
import { VM_OPS_ANONYMOUS } from '../../linux/mm/vm-ops.ts';
import { VM_READ, VM_WRITE } from '../../linux/mm/vma.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, readOnce } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { BACKEND, RacePage, RaceProcess, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

/** The address in question, and one in the same page table that stays. */
const VPN = 2;
const NEIGHBOUR = 5;

/** Linux 4.11: what the entry named is taken to be in use. */
export function* gupPteWithoutRecheck(v: number, ptep: number, flags: number): Op {
  const pte = yield* readOnce(ptep);
  if (!pteAccessPermitted(pte, flags) || (pte & PTE_SPECIAL) !== 0) return NO_PAGE;
  const pg = yield* designPageBehindMfn(v, pteMfn(pte));
  if (pg === NO_PAGE) return NO_PAGE;
  yield* getPage(pg);
  return pg;
}

function* mapAnonymous(vpn: number): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const mm = readLocal(RaceProcess.mm.word);
  yield* mmapRegion(v, mm, vpn, 1, VM_READ | VM_WRITE, VM_OPS_ANONYMOUS, -1, vpn);
  yield* userStore(v, mm, vpn, 0, 1);
}

function* arrange(): Op<void> {
  yield* startProcess(2);
  yield* mapAnonymous(NEIGHBOUR);
  yield* mapAnonymous(VPN);
}

function* lookUp(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const mm = readLocal(RaceProcess.mm.word);
  const out = RacePage.value.at2(v, 0);
  if ((yield* getUserPagesFastOnly(v, mm, VPN, 1, FOLL_WRITE, out)) !== 1) return;
  yield* putPage(v, readLocal(out));
}

function* unmap(): Op<void> {
  yield* doMunmap(firstVcpuOf(BACKEND) + 1, readLocal(RaceProcess.mm.word), VPN, 1);
}

export const gupFastWithoutRecheck: Race = {
  name: 'm1-gup-fast-without-recheck',
  about: 'get_user_pages_fast() looks a page up that another thread unmaps.',
  sources: ['Linux 4.11, arch/x86/mm/gup.c: gup_pte_range()', 'mm/gup.c: gup_fast_pte_range()'],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'look up', vcpu: 0, body: lookUp },
    { role: 'unmap', vcpu: 1, body: unmap },
  ],
  kernelThreads: [],
  bug: {
    id: 'M1',
    title: 'A walker with interrupts off does not hold up a flush that is a hypercall',
    story: [
      'One thread walks the page tables with interrupts off and reads an entry.',
      'Another clears the entry and asks Xen to flush, which waits for no guest.',
      'It puts the page, whose count drops to 0: the page is free.',
      'The walker takes a reference of a free page, and hands it on.',
    ],
    breaks: ['kernel'],
    fix: 'Take a reference only of a page that is not free, and read the entry again afterwards.',
    fixedIn: 'Linux 4.14 (generic get_user_pages_fast() on x86)',
    before: { design: 'vma-pages', overrides: [replaces(gupFastPte, gupPteWithoutRecheck)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
