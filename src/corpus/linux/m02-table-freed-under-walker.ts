/**
 * Page tables of a PV guest were freed right after the flush. On bare metal the flush waits for a
 * walker with interrupts off; Xen's does not, so get_user_pages_fast() could stand on a page table
 * that was in use for something else.
 *
 * The function is that of Linux 4.11 (arch/x86/mm/pgtable.c: ___pte_free_tlb()): a table goes into
 * the batch of pages, which are put when the flush has returned.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { getUserPagesFastOnly } from '../../linux/mm/gup-fast.ts';
import { FOLL_WRITE } from '../../linux/mm/gup.ts';
import { mmapRegion } from '../../linux/mm/mmap.ts';
import {
  tlbFlushMmu,
  tlbRemovePage,
  tlbRemoveTable,
  tlbRemoveTlbEntry,
} from '../../linux/mm/mmu-gather.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { putPage } from '../../linux/mm/page.ts';
import { allocTablePage } from '../../linux/mm/page-alloc.ts';
import { clearPage } from '../../linux/mm/direct-map.ts';
import { userStore } from '../../linux/mm/user-access.ts';
import { VM_OPS_ANONYMOUS } from '../../linux/mm/vm-ops.ts';
import { VM_READ, VM_WRITE } from '../../linux/mm/vma.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { BACKEND, RacePage, RaceProcess, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

const VPN = 2;

/** Linux 4.11: tlb_remove_page() of the table. */
export function* removeTableLikePage(v: number, pg: number): Op<void> {
  tlbRemoveTlbEntry(v);
  if (tlbRemovePage(v, pg) === 1) yield* tlbFlushMmu(v);
}

function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* startProcess(2);
  const mm = readLocal(RaceProcess.mm.word);
  yield* mmapRegion(v, mm, VPN, 1, VM_READ | VM_WRITE, VM_OPS_ANONYMOUS, -1, VPN);
  yield* userStore(v, mm, VPN, 0, 1);
}

function* lookUp(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const mm = readLocal(RaceProcess.mm.word);
  const out = RacePage.value.at2(v, 0);
  if ((yield* getUserPagesFastOnly(v, mm, VPN, 1, FOLL_WRITE, out)) !== 1) return;
  yield* putPage(v, readLocal(out));
}

/** The last page below a table is unmapped, and the page of the table is used anew. */
function* unmapAndReuse(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  yield* doMunmap(v, readLocal(RaceProcess.mm.word), VPN, 1);
  yield* clearPage(v, yield* allocTablePage(v));
}

export const tableFreedUnderWalker: Race = {
  name: 'm2-table-freed-under-walker',
  about: 'get_user_pages_fast() walks a page table that another thread frees.',
  sources: [
    'Linux 4.11, arch/x86/mm/pgtable.c: ___pte_free_tlb()',
    'arch/x86/Kconfig: MMU_GATHER_RCU_TABLE_FREE; commit a17c9da9264d',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'look up', vcpu: 0, body: lookUp },
    { role: 'unmap', vcpu: 1, body: unmapAndReuse },
  ],
  kernelThreads: [],
  bug: {
    id: 'M2',
    title: 'A page table is freed while a walker with interrupts off is on it',
    story: [
      'One thread walks with interrupts off and has read the entry that names the lowest table.',
      'Another unmaps the last page below it, unlinks the table and asks Xen to flush.',
      'Xen does so at once, whatever the guest masks; the page of the table is freed.',
      'The page is used for something else.',
      'The walker takes what it reads there for an entry.',
    ],
    breaks: ['I13'],
    fix: 'Free page tables after an RCU grace period, which waits for walkers.',
    fixedIn:
      'Linux 4.15 for paravirtualised guests (RCU table free), all of x86 since a17c9da9264d',
    before: { design: 'vma-pages', overrides: [replaces(tlbRemoveTable, removeTableLikePage)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
