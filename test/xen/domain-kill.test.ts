/**
 * Goal: a domain that dies gives back all it has mapped and all it owns; pages of it that others
 * have mapped live until they are unmapped.
 * Method: a mapper and a granter that die in turn; counts of pages, pins and the heap afterwards.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { PTE_PRESENT, PTE_RW, makePte } from '../../src/hardware/paging.ts';
import { Vcpu } from '../../src/hardware/vcpu.ts';
import { runAlone } from '../../src/shared/operations.ts';
import { domainKill } from '../../src/xen/domain-kill.ts';
import { Domain } from '../../src/xen/domain.ts';
import { ActiveEntry } from '../../src/xen/grant-table/active.ts';
import { Maptrack } from '../../src/xen/grant-table/maptrack.ts';
import { mmuUpdate } from '../../src/xen/mmu.ts';
import { PGC_state_free, PageInfo } from '../../src/xen/page-info.ts';
import {
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_domain,
  GNTST_okay,
  GTF_permit_access,
} from '../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  MAPPER,
  bootMachine,
  dataFrame,
  explore,
  flagsOf,
  grant,
  leafEntry,
  mapNow,
  mapStatus,
  now,
  pageCount,
  typeCount,
  unmapStatus,
} from './machine.ts';
import type { XenMachine } from './machine.ts';

const ref = 3;
let m: XenMachine;
let mfn: number;
beforeEach(() => {
  m = bootMachine({ iommu: 1 });
  mfn = dataFrame(GRANTER);
  grant(GRANTER, ref, mfn);
});

const both = GNTMAP_host_map | GNTMAP_device_map;

describe('the death of a domain', () => {
  test('releases its mappings, unpins the grants and frees its pages', () => {
    const handle = mapNow(0, 5, both, ref);
    mapNow(1, 6, GNTMAP_host_map | GNTMAP_readonly, ref);
    const own = dataFrame(MAPPER);
    runAlone(mmuUpdate(2, leafEntry(m, MAPPER, 1), makePte(own, PTE_PRESENT | PTE_RW)));
    const result = explore(m, [{ name: 'toolstack', v: -1, body: () => domainKill(0, MAPPER) }], {
      executions: 1,
    });
    expect(result.finding).toBeUndefined();
    runAlone(domainKill(0, MAPPER));
    expect(now(ActiveEntry.pin.at2(GRANTER, ref))).toBe(0);
    expect(flagsOf(GRANTER, ref)).toBe(GTF_permit_access);
    expect([pageCount(mfn), typeCount(mfn)]).toEqual([1, 0]);
    expect(now(Maptrack.flags.at2(MAPPER, handle))).toBe(0);
    expect(now(PageInfo.countInfo.at(own))).toBe(PGC_state_free);
    expect([now(Domain.totPages.at(MAPPER)), now(Domain.inList.at(MAPPER))]).toEqual([0, 0]);
    expect(now(Vcpu.cr3.at(2))).toBe(0);
  });

  test('leaves its granted pages to those who have mapped them', () => {
    const handle = mapNow(0, 5, GNTMAP_host_map, ref);
    runAlone(domainKill(2, GRANTER));
    expect(now(PageInfo.owner.at(mfn))).toBe(GRANTER);
    expect([now(Domain.totPages.at(GRANTER)), now(Domain.inList.at(GRANTER))]).toEqual([1, 1]);
    expect(unmapStatus({ hostAddr: 5, handle })).toBe(GNTST_okay);
    expect(now(PageInfo.countInfo.at(mfn))).toBe(PGC_state_free);
    expect(now(Domain.inList.at(GRANTER))).toBe(0);
    expect(mapStatus({ hostAddr: 5, flags: GNTMAP_host_map, ref })).toBe(GNTST_bad_domain);
  });
});
