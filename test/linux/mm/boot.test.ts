/**
 * Goal: a booted domain has all its pages, mapped where the kernel expects them, and Xen agrees.
 * Method: boot, then read tables and walk the page tables.
 */
import { describe, expect, test } from 'vitest';
import { PTE_RW, pteFlags, pteMfn, walkToPte } from '../../../src/hardware/paging.ts';
import { kernelBase, pagesPerDomain } from '../../../src/hardware/params.ts';
import { cpuLoad, cpuStore } from '../../../src/hardware/access.ts';
import { REG_VALUE, Vcpu, reg } from '../../../src/hardware/vcpu.ts';
import { P2m, getPhysToMachine, mfnToLocalPfn } from '../../../src/linux/mm/p2m.ts';
import { Zone, allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { Page, pageOf, pfnOf } from '../../../src/linux/mm/page.ts';
import { readLocal, runAlone } from '../../../src/shared/operations.ts';
import { M2p } from '../../../src/xen/m2p.ts';
import { PGT_writable_page, PGT_type_mask, PageInfo } from '../../../src/xen/page-info.ts';
import { bootedMachine } from './machine.ts';

describe('boot', () => {
  test('every pfn has a frame, and M2P and P2M agree', () => {
    bootedMachine({ domains: 2, vcpusPerDomain: 2 });
    for (let d = 0; d < 2; d++) {
      for (let pfn = 0; pfn < pagesPerDomain(); pfn++) {
        const mfn = readLocal(P2m.value.at2(d, pfn));
        expect(mfn).toBeGreaterThan(0);
        expect(readLocal(M2p.value.at(mfn))).toBe(pfn);
        expect(readLocal(PageInfo.owner.at(mfn))).toBe(d);
        expect(runAlone(mfnToLocalPfn(d, mfn))).toBe(pfn);
        expect(runAlone(mfnToLocalPfn(1 - d, mfn))).toBe(-1);
        expect(runAlone(getPhysToMachine(d, pfn))).toBe(mfn);
      }
    }
  });

  test('the direct map is writable but for page tables', () => {
    bootedMachine();
    const root = readLocal(Vcpu.cr3.at(0));
    for (let pfn = 0; pfn < pagesPerDomain(); pfn++) {
      const ptep = runAlone(walkToPte(0, root, kernelBase() + pfn));
      const pte = readLocal(ptep);
      const mfn = readLocal(P2m.value.at2(0, pfn));
      expect(pteMfn(pte)).toBe(mfn);
      const writable = (readLocal(PageInfo.typeInfo.at(mfn)) & PGT_type_mask) === PGT_writable_page;
      expect((pteFlags(pte) & PTE_RW) !== 0).toBe(writable);
    }
  });

  test('every vCPU reaches the pages of its domain', () => {
    bootedMachine();
    const pg = runAlone(allocPage(1));
    expect(runAlone(cpuStore(1, kernelBase() + pfnOf(pg), 1, 77))).toBe(0);
    expect(runAlone(cpuLoad(3, kernelBase() + pfnOf(pg), 1))).toBe(0);
    expect(reg(3, REG_VALUE)).toBe(77);
  });

  test('each page is in use once or on one free list', () => {
    bootedMachine();
    let used = 0;
    for (let pfn = 0; pfn < pagesPerDomain(); pfn++) {
      const count = readLocal(Page.refcount.at(pageOf(0, pfn)));
      expect(count === 0 || count === 1).toBe(true);
      used += count;
    }
    const free = readLocal(Zone.free.at(0)) + readLocal(Zone.tableFree.at(0));
    expect(used + free).toBe(pagesPerDomain());
  });
});
