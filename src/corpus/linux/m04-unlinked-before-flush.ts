/**
 * munmap took a VMA off its object's list before it flushed. A driver that took its pages back in
 * between found nobody who had them mapped, and freed them under a TLB that still had them.
 *
 * The function is that of Linux 5.18 (include/asm-generic/tlb.h: tlb_start_vma(), tlb_end_vma()):
 * it did not flush between clearing the entries and unlinking.
 */
import { cpuStore } from '../../hardware/access.ts';
import { firstVcpuOf } from '../../hardware/params.ts';
import { PfnObject, pfnmapRelease } from '../../linux/drivers/pfnmap.ts';
import { writePageWord } from '../../linux/mm/direct-map.ts';
import { initMapping } from '../../linux/mm/mapping.ts';
import { mmapRegion } from '../../linux/mm/mmap.ts';
import { tlbFreeVmas } from '../../linux/mm/mmu-gather.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_PFNMAP } from '../../linux/mm/vm-ops.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../linux/mm/vma.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { BACKEND, RaceProcess, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

/** The driver's page in the process, and memory that keeps the page table in use. */
const VPN = 2;
const NEIGHBOUR = 5;
const OBJECT = 0;

/** Linux 5.18: the flush comes at the end of the munmap. */
export function* freeVmasWithoutFlush(): Op<void> {}

function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* startProcess(2);
  const mm = readLocal(RaceProcess.mm.word);
  initMapping(OBJECT);
  writeLocal(PfnObject.page.at(OBJECT), yield* allocPage(v));
  const flags = VM_READ | VM_WRITE | VM_SHARED;
  yield* mmapRegion(v, mm, VPN, 1, flags, VM_OPS_PFNMAP, OBJECT, 0);
  yield* mmapRegion(v, mm, NEIGHBOUR, 1, flags, VM_OPS_ANONYMOUS, -1, NEIGHBOUR);
  yield* cpuStore(v, VPN, 0, 1);
}

function* use(): Op<void> {
  yield* cpuStore(firstVcpuOf(BACKEND), VPN, 0, 2);
}

function* unmap(): Op<void> {
  yield* doMunmap(firstVcpuOf(BACKEND) + 1, readLocal(RaceProcess.mm.word), VPN, 1);
}

/** The driver frees its page, and somebody else gets it. */
function* takeBack(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 2;
  yield* pfnmapRelease(v, OBJECT);
  yield* writePageWord(v, yield* allocPage(v), 0, 3);
}

export const unlinkedBeforeFlush: Race = {
  name: 'm4-unlinked-before-flush',
  about: 'A driver takes a page back while a process that has it mapped unmaps it.',
  sources: [
    'CVE-2022-39188',
    'Linux 5.18, mm/mmap.c: unmap_region(); mm/memory.c: free_pgtables()',
    'Linux 5.19, commit b67fbebd4cf9',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'use', vcpu: 0, body: use },
    { role: 'munmap', vcpu: 1, body: unmap },
    { role: 'driver', vcpu: 2, body: takeBack },
  ],
  kernelThreads: [],
  bug: {
    id: 'M4',
    title: 'A VMA leaves the list of its object before its addresses are flushed',
    story: [
      'A process has a page of a driver mapped without a reference, and a TLB has the translation.',
      'munmap clears the entry and takes the VMA off the list of the driver’s object.',
      'The driver calls unmap_mapping_range(): nobody has the page mapped, it returns at once.',
      'The driver frees the page; somebody else gets it.',
      'The process writes to the page through its TLB. Only now munmap flushes.',
    ],
    breaks: ['I7'],
    fix: 'Flush VM_PFNMAP and VM_MIXEDMAP areas before they are unlinked.',
    fixedIn: 'Linux 5.19, commit b67fbebd4cf9',
    before: { design: 'vma-pages', overrides: [replaces(tlbFreeVmas, freeVmasWithoutFlush)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
