/**
 * XSA-401: _get_page_type() flushed the TLBs before it took the type reference. In between a
 * writable mapping could be made, used and removed again; the compare-and-swap found the word as it
 * had been, and the page became a page table that a TLB still lets its owner write.
 *
 * The function is that of Xen 4.16 (xen/arch/x86/mm.c: _get_page_type()).
 */
import { cpuStore } from '../../hardware/access.ts';
import { flushTlbHypercall } from '../../hardware/flush.ts';
import { PTE_PRESENT, PTE_RW, makePte } from '../../hardware/paging.ts';
import { firstVcpuOf } from '../../hardware/params.ts';
import { makePageReadonly } from '../../linux/mm/direct-map.ts';
import { allocTablePage } from '../../linux/mm/page-alloc.ts';
import type { Op } from '../../shared/op.ts';
import {
  awaitNotEqual,
  cmpxchg,
  readLocal,
  readOnce,
  trace,
  writeOnce,
} from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { dirtyCpumask, needIommuPtSync } from '../../xen/domain.ts';
import { mmuextPinTable, updateVaMapping } from '../../xen/mmu.ts';
import {
  NO_OWNER,
  PGT_count_mask,
  PGT_none,
  PGT_type_mask,
  PGT_validated,
  PGT_writable_page,
  PageInfo,
} from '../../xen/page-info.ts';
import { validatePage } from '../../xen/page-table.ts';
import { getPageType, syncIommu } from '../../xen/page-type.ts';
import { TRC_PAGE_TYPE, TRC_PAGE_VALIDATED } from '../../xen/tracepoints.ts';
import { BACKEND } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { RaceFrame, noteFrame } from './hypercalls.ts';

/** A change of type before its reference: the flush, if a TLB may hold anything. */
function* flushBeforeChange(v: number, mfn: number): Op<void> {
  const owner = yield* readOnce(PageInfo.owner.at(mfn));
  if (owner === NO_OWNER || (yield* readOnce(PageInfo.needTlbflush.at(mfn))) === 0) return;
  yield* writeOnce(PageInfo.needTlbflush.at(mfn), 0);
  yield* flushTlbHypercall(v, dirtyCpumask(owner));
}

/** _get_page_type() of Xen 4.16 after its compare-and-swap. @returns 1 or 0. */
function* finishType(v: number, mfn: number, x: number, nx: number, type: number): Op {
  const before = x & PGT_type_mask;
  const owner = yield* readOnce(PageInfo.owner.at(mfn));
  if ((before === PGT_writable_page) !== (type === PGT_writable_page)) {
    if (owner !== NO_OWNER && needIommuPtSync(owner)) {
      yield* syncIommu(owner, mfn, before, type);
    }
  }
  if ((nx & PGT_validated) === 0) {
    if ((yield* validatePage(v, mfn, type)) < 0) {
      yield* writeOnce(PageInfo.typeInfo.at(mfn), PGT_none);
      return 0;
    }
    const typeInfo = yield* readOnce(PageInfo.typeInfo.at(mfn));
    yield* writeOnce(PageInfo.typeInfo.at(mfn), typeInfo | PGT_validated);
  }
  if (before !== type) {
    trace(TRC_PAGE_TYPE, mfn, before, type);
    trace(TRC_PAGE_VALIDATED, mfn, type, 0);
  }
  return 1;
}

/** Xen 4.16's _get_page_type(). @returns 1 with a type reference taken, or 0. */
export function* flushThenCount(v: number, mfn: number, type: number): Op {
  const word = PageInfo.typeInfo.at(mfn);
  let x = yield* readOnce(word);
  for (;;) {
    let nx = x + 1;
    if ((nx & PGT_count_mask) === 0) return 0;
    if ((x & PGT_count_mask) === 0) {
      if ((x & PGT_type_mask) !== type) {
        yield* flushBeforeChange(v, mfn);
        nx = (nx & ~(PGT_type_mask | PGT_validated)) | type;
        if (type === PGT_writable_page) nx |= PGT_validated;
      }
    } else if ((x & PGT_type_mask) !== type) {
      return 0;
    } else if ((x & PGT_validated) === 0) {
      x = yield* awaitNotEqual(word, -1, x);
      continue;
    }
    const seen = yield* cmpxchg(word, x, nx);
    if (seen === x) return yield* finishType(v, mfn, x, nx, type);
    x = seen;
  }
}

/** A page that can become a page table; nobody has it mapped for writing. */
function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const pg = yield* allocTablePage(v);
  yield* makePageReadonly(v, pg);
  yield* noteFrame(0, BACKEND, pg);
}

function* pinTable(): Op<void> {
  yield* mmuextPinTable(firstVcpuOf(BACKEND), readLocal(RaceFrame.mfn.at(0)), 1);
}

function* mapTouchUnmap(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  const vpn = readLocal(RaceFrame.vpn.at(0));
  const mfn = readLocal(RaceFrame.mfn.at(0));
  if ((yield* updateVaMapping(v, vpn, makePte(mfn, PTE_PRESENT | PTE_RW))) < 0) return;
  yield* cpuStore(v, vpn, 0, 0);
  yield* updateVaMapping(v, vpn, makePte(mfn, PTE_PRESENT));
}

export const typeChange: Race = {
  name: 'x28-type-change',
  about: 'A page is made a page table while another vCPU maps it writable, uses it and unmaps it.',
  sources: ['XSA-401', 'CVE-2022-26362', 'xen/arch/x86/mm.c: _get_page_type()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'make page table', vcpu: 0, body: pinTable },
    { role: 'map, touch, unmap', vcpu: 1, body: mapTouchUnmap },
  ],
  kernelThreads: [],
  bug: {
    id: 'X28',
    title: 'A page becomes a page table that a TLB still lets the guest write',
    story: [
      'A page of the guest is of the writable type, but nobody counts on it: type count 0.',
      'vCPU A makes it a page table: it reads count 0 and flushes all TLBs.',
      'vCPU B maps the page writable (count 1), writes to it, and unmaps it (count 0).',
      'A’s compare-and-swap finds the word that it has read, and the page is a page table.',
      'B’s TLB still holds the writable translation: it writes page-table entries unchecked.',
    ],
    breaks: ['I7'],
    fix: 'The flush comes after the reference of the new type, which keeps out the old one.',
    fixedIn: 'Xen 4.17, commit 8cc5036bc3',
    before: { design: 'vma-pages', overrides: [replaces(getPageType, flushThenCount)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
