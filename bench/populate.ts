/**
 * Fills the machine of a lookup: boots both domains, and puts the entries in place. Runs alone, in
 * any edition.
 *
 * As far as that goes within seconds for four million entries, entries are put there by the calls
 * of the kernel that would: frames by populate_physmap, user mappings by vm_insert_page, overrides
 * by m2p_add_override, handles by get_maptrack_handle. Page arrays, grant maps and DMA handles
 * are filled as their drivers leave them, but without the hypercalls that map each grant: no lookup
 * here looks at what those do.
 */
import { bootHardware } from '../src/hardware/tables.ts';
import { firstVcpuOf, kernelVcpuOf, vcpusPerDomain } from '../src/hardware/params.ts';
import { tlbFlushLocal } from '../src/hardware/tlb.ts';
import { Vcpu } from '../src/hardware/vcpu.ts';
import { DmaHandle, DmaHandleBitmap } from '../src/linux/designs/dma-handles.ts';
import { m2pOverrideMap } from '../src/linux/designs/m2p-override.ts';
import { PageArray, PageArrayBitmap, PageSlot } from '../src/linux/designs/vma-pages.ts';
import { GrantMap, GrantMapBitmap, MapPage } from '../src/linux/drivers/gntdev/grant-map.ts';
import { gnttabSetMapOp } from '../src/linux/drivers/map-refs.ts';
import { runDeferred } from '../src/linux/drivers/workqueue.ts';
import { bootDrivers } from '../src/linux/drivers/tables.ts';
import { bootLinux } from '../src/linux/mm/boot.ts';
import { vmInsertPage } from '../src/linux/mm/insert-page.ts';
import { mmCreate, switchMm } from '../src/linux/mm/mm-life.ts';
import { mmapRegion } from '../src/linux/mm/mmap.ts';
import { P2m } from '../src/linux/mm/p2m.ts';
import { Page, pageOf } from '../src/linux/mm/page.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_GNTDEV } from '../src/linux/mm/vm-ops.ts';
import { VM_FOREIGN, VM_READ, VM_SHARED, VM_WRITE, Vma } from '../src/linux/mm/vma.ts';
import { vmaLookup } from '../src/linux/mm/vma-tree.ts';
import { bootPageCount } from '../src/linux/params.ts';
import { bootLinuxParams } from '../src/linux/tables.ts';
import { ConfigError } from '../src/shared/layout.ts';
import { readLocal, runAlone, writeLocal } from '../src/shared/operations.ts';
import type { Config } from '../src/shared/table.ts';
import { getMaptrackHandle, Maptrack } from '../src/xen/grant-table/maptrack.ts';
import { populatePhysmap } from '../src/xen/memory.ts';
import { ZONE_DATA } from '../src/xen/page-alloc.ts';
import { MAP_DEV_BUS_ADDR } from '../src/xen/public/grant-table.ts';
import { bootXen } from '../src/xen/tables.ts';
import type { LookupName } from './lookup-names.ts';
import { RANGE } from './loops/find.ts';
import type { Shape } from './machine.ts';
import {
  FIRST_VPN,
  SPARE_RECORDS,
  WRITER,
  benchConfig,
  allEntries,
  distinctEntries,
  writersEntries,
  pagesPerVma,
  vcpuOfReader,
} from './machine.ts';
import { BenchArgument } from './tables.ts';

/** What is looked up: entry i is found by keys[i] and is results[i]. */
export interface Entries {
  readonly keys: Int32Array;
  readonly results: Int32Array;
}

/** GNTMAP_host_map */
const HOST_MAP = 2;

function must(status: number, what: string): number {
  if (status < 0) throw new ConfigError(`the machine is too small: ${what} gave ${status}`);
  return status;
}

/** Boots hypervisor and guests; the writer and the readers run in one address space. */
function boot(config: Config): number {
  bootHardware(config);
  for (let v = 0; v < (config['vcpus'] as number); v++) writeLocal(Vcpu.online.at(v), 0);
  bootXen(config);
  bootLinuxParams(config);
  for (const d of [0, 1]) {
    must(runAlone(bootLinux(firstVcpuOf(d), d)), 'the boot of a domain');
    bootDrivers(firstVcpuOf(d), d);
  }
  const mm = must(runAlone(mmCreate(WRITER)), 'an address space');
  for (let v = 0; v < vcpusPerDomain() - 1; v++) runAlone(switchMm(v, mm));
  return mm;
}

/** A frame for a pfn beyond those of the boot. @returns mfn. */
function addFrame(d: number, pfn: number): number {
  const mfn = must(runAlone(populatePhysmap(firstVcpuOf(d), d, pfn, ZONE_DATA)), 'a frame');
  writeLocal(P2m.value.at2(d, pfn), mfn);
  return mfn;
}

/** The page of entry i: one of domain 0 beyond those of the boot. */
function pageOfEntry(i: number): number {
  return pageOf(0, bootPageCount() + i);
}

/** VMAs for all entries. @param done - called for each with its VMA, first entry and pages. */
function mapVmas(
  mm: number,
  shape: Shape,
  all: number,
  done: (vma: number, first: number, count: number) => void,
): void {
  const size = pagesPerVma(shape);
  const flags = VM_READ | VM_WRITE | VM_SHARED;
  for (let first = 0; first < all; first += size) {
    const start = FIRST_VPN + first;
    const count = Math.min(size, all - first);
    must(runAlone(mmapRegion(WRITER, mm, start, count, flags, VM_OPS_ANONYMOUS, -1, 0)), 'mmap');
    runAlone(runDeferred(kernelVcpuOf(0)));
    done(runAlone(vmaLookup(mm, start)), first, count);
  }
}

/** Marks objects of a bitmap as in use. */
function markUsed(bitmap: number, from: number, count: number): void {
  for (let i = from; i < from + count; i++) {
    const word = bitmap + (i >>> 5);
    writeLocal(word, readLocal(word) | (1 << (i & 31)));
  }
}

/** User mappings of own pages, as vm_insert_page() makes them. */
function insertPages(mm: number, shape: Shape, all: number, { keys, results }: Entries): void {
  mapVmas(mm, shape, all, (vma, first, count) => {
    for (let i = first; i < first + count; i++) {
      const pg = pageOfEntry(i);
      addFrame(0, bootPageCount() + i);
      writeLocal(Page.refcount.at(pg), 1);
      must(runAlone(vmInsertPage(WRITER, vma, FIRST_VPN + i, pg)), 'vm_insert_page');
      keys[i] = FIRST_VPN + i;
      results[i] = pg;
    }
  });
}

/** The same; an entry is the range of RANGE pages that it lies in, the last ones the one before. */
function insertRanges(mm: number, shape: Shape, all: number, entries: Entries): void {
  insertPages(mm, shape, all, entries);
  const { keys, results } = entries;
  const pages = results.slice(0, all);
  for (let i = 0; i < all; i++) {
    const first = Math.max(0, Math.min(i - (i % RANGE), all - RANGE));
    keys[i] = FIRST_VPN + first;
    const range = pages.subarray(first, first + RANGE);
    results[i] = range.reduce((sum, pg) => (sum + pg) | 0, 0);
  }
}

/**
 * Page arrays, as Draft B's driver or the classic one leaves them. An array that is longer than a
 * record of the table takes the records behind it too: slots lie one behind the other.
 */
function fillArrays(
  mm: number,
  shape: Shape,
  all: number,
  entries: Entries,
  classic: boolean,
): void {
  let next = 0;
  mapVmas(mm, shape, all, (vma, first, count) => {
    const array = next;
    next += Math.ceil(count / PageSlot.value.count);
    const slots = PageSlot.value.at2(array, 0);
    writeLocal(PageArray.users.at(array), 1);
    writeLocal(PageArray.start.at(array), FIRST_VPN + first);
    writeLocal(PageArray.count.at(array), count);
    if (classic) {
      writeLocal(Vma.flags.at(vma), readLocal(Vma.flags.at(vma)) | VM_FOREIGN);
      writeLocal(Vma.privateData.at(vma), slots);
    } else {
      writeLocal(Vma.pages.at(vma), slots);
    }
    for (let i = 0; i < count; i++) {
      writeLocal(slots + i, pageOfEntry(first + i));
      entries.keys[first + i] = FIRST_VPN + first + i;
      entries.results[first + i] = pageOfEntry(first + i);
    }
  });
  markUsed(PageArrayBitmap.value.word, 0, next);
}

/** Grant maps of gntdev, as mmap of 4.0 leaves them. */
function fillMaps(mm: number, shape: Shape, all: number, { keys, results }: Entries): void {
  let map = 0;
  mapVmas(mm, shape, all, (vma, first, count) => {
    writeLocal(Vma.ops.at(vma), VM_OPS_GNTDEV);
    writeLocal(Vma.privateData.at(vma), map);
    writeLocal(GrantMap.users.at(map), 2);
    writeLocal(GrantMap.count.at(map), count);
    writeLocal(GrantMap.vma.at(map), vma);
    writeLocal(GrantMap.pagesVmStart.at(map), FIRST_VPN + first);
    for (let i = 0; i < count; i++) {
      writeLocal(MapPage.value.at2(map, i), pageOfEntry(first + i));
      keys[first + i] = FIRST_VPN + first + i;
      results[first + i] = pageOfEntry(first + i);
    }
    map++;
  });
  markUsed(GrantMapBitmap.value.word, 0, map);
}

/** Frames of domain 1 mapped over pages of domain 0. */
function addOverrides(_mm: number, _shape: Shape, count: number, { keys, results }: Entries): void {
  const op = BenchArgument.value.at2(WRITER, 0);
  const pages = BenchArgument.value.at2(WRITER, 16);
  for (let i = 0; i < count; i++) {
    const mfn = addFrame(1, bootPageCount() + i);
    gnttabSetMapOp(op, 0, HOST_MAP, 0, 1);
    writeLocal(op + MAP_DEV_BUS_ADDR, mfn);
    writeLocal(pages, pageOfEntry(i));
    runAlone(m2pOverrideMap(WRITER, op, 0, pages, 1));
    keys[i] = mfn;
    results[i] = pageOfEntry(i);
  }
}

/** Live handles, each of a grant of its own. */
function takeHandles(_mm: number, _shape: Shape, count: number, { keys, results }: Entries): void {
  for (let i = 0; i < count; i++) {
    const handle = must(runAlone(getMaptrackHandle(WRITER)), 'get_maptrack_handle');
    writeLocal(Maptrack.domid.at2(0, handle), 1);
    writeLocal(Maptrack.ref.at2(0, handle), i);
    writeLocal(Maptrack.flags.at2(0, handle), HOST_MAP);
    keys[i] = handle;
    results[i] = i;
  }
}

/** Own frames. @param toPfn - the key is the frame, the result its number; else the reverse. */
function addFrames(count: number, { keys, results }: Entries, toPfn: boolean): void {
  for (let i = 0; i < count; i++) {
    const pfn = bootPageCount() + i;
    const mfn = addFrame(0, pfn);
    keys[i] = toPfn ? mfn : pfn;
    results[i] = toPfn ? pfn : mfn;
  }
}

/** Mappings for DMA, as dmaHandleCreate() makes them; the first records are left to the writers. */
function fillDmaHandles(
  _mm: number,
  _shape: Shape,
  count: number,
  { keys, results }: Entries,
): void {
  for (let i = 0; i < count; i++) {
    const record = SPARE_RECORDS + i;
    writeLocal(DmaHandle.page.at(record), pageOfEntry(i));
    writeLocal(DmaHandle.grant.at(record), -1);
    writeLocal(DmaHandle.bus.at(record), i);
    writeLocal(DmaHandle.slot.at(record), -1);
    writeLocal(DmaHandle.size.at(record), 1);
    writeLocal(DmaHandle.state.at(record), 1);
    keys[i] = record;
    results[i] = pageOfEntry(i);
  }
  markUsed(DmaHandleBitmap.value.word, SPARE_RECORDS, count);
}

/** Puts entries 0 … count - 1 in place. */
type Fill = (mm: number, shape: Shape, count: number, entries: Entries) => void;

const vmaPages: Fill = (mm, shape, count, entries) => {
  fillArrays(mm, shape, count, entries, false);
};

const fills: Record<LookupName, Fill> = {
  'm2p-override': addOverrides,
  'm2p-override-bucket-locks': addOverrides,
  'vma-pages-seqcount': vmaPages,
  'vma-pages-per-vma-lock': vmaPages,
  'vma-pages-rcu': vmaPages,
  'vm-foreign': (mm, shape, count, entries) => fillArrays(mm, shape, count, entries, true),
  'find-special-page': fillMaps,
  'gup-fast-2': insertPages,
  'gup-fast-4': insertPages,
  'gup-fast-range': insertRanges,
  maptrack: takeHandles,
  p2m: (_mm, _shape, count, entries) => addFrames(count, entries, false),
  m2p: (_mm, _shape, count, entries) => addFrames(count, entries, true),
  'dma-handles': fillDmaHandles,
};

/**
 * Boots the attached machine of benchConfig(shape), and fills it.
 * @returns what can be looked up. @throws ConfigError if it does not fit.
 */
export function populate(shape: Shape): Entries {
  const config = benchConfig(shape);
  const mm = boot(config);
  const all = allEntries(shape);
  const entries = { keys: new Int32Array(all), results: new Int32Array(all) };
  const distinct = Math.min(all, distinctEntries(config));
  fills[shape.lookup](mm, shape, distinct, entries);
  const from = writersEntries(shape);
  for (const list of [entries.keys, entries.results]) list.copyWithin(distinct, from);
  // What others changed while these were offline.
  for (let v = 0; v <= vcpuOfReader(shape.readers - 1); v++) {
    runAlone(tlbFlushLocal(v));
    writeLocal(Vcpu.online.at(v), 1);
  }
  return entries;
}
