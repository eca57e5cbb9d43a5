/**
 * The lookups, and the ways in which each can be run: the table that all suites go by.
 *
 * A variant is a function of (first key's word, count) that looks up `count` keys one behind the
 * other in the machine's memory and returns the sum of the results, wrapped to 32 bits. All
 * variants of a lookup read the same keys and the same tables, so their sums are equal.
 *
 *   ts       the simulated kernel's own functions, stripped for this machine (build/kernels)
 *   wasm     the same functions compiled to WebAssembly, over the same memory
 *   native   the same algorithm in C, over a copy of the memory, in a process of its own
 *   threads  the functions as the threads edition has them: each operation looks for interrupts,
 *            counts itself, and is told to the oracle where there is one
 *
 * All but `native` run in the reader's thread, as its vCPU. With batches of 1 the loop over the
 * keys is the harness's, so a lookup is one call; with larger ones it is the variant's.
 */
import type { Machine } from '../src/shared/layout.ts';
import { runAlone } from '../src/shared/operations.ts';
import type { LookupName } from './lookup-names.ts';
import {
  findDmaPages,
  findMappings,
  findOverrides,
  findSpecialPages,
  findSpeculatively,
  findUnderRcu,
  findUnderVmaLock,
  findVmForeign,
  gupFastPages,
  gupFastRanges,
  translateMfns,
  translatePfns,
} from './loops/find.ts';

export const VARIANTS = ['ts', 'wasm', 'native', 'threads'] as const;
export type VariantName = (typeof VARIANTS)[number];

/** A lookup as the tables and the page name it. */
export interface Lookup {
  readonly name: LookupName;
  /** What is found, and how the way there is kept stable. */
  readonly what: string;
  /** What a key is. */
  readonly key: string;
  /** The code of the threads edition. @param v - vCPU that runs it. */
  readonly threads: (v: number, keys: number, count: number) => number;
}

export const LOOKUPS: readonly Lookup[] = [
  {
    name: 'm2p-override',
    what: 'page over a foreign frame: hash of 1024 buckets under one spinlock',
    key: 'mfn',
    threads: (v, keys, count) => runAlone(findOverrides(v, keys, count)),
  },
  {
    name: 'm2p-override-bucket-locks',
    what: 'the same, a spinlock for each bucket',
    key: 'mfn',
    threads: (v, keys, count) => runAlone(findOverrides(v, keys, count)),
  },
  {
    name: 'vma-pages-seqcount',
    what: 'page array of the VMA: found without a lock, mm_lock_seq compared afterwards',
    key: 'vpn',
    threads: (v, keys, count) => runAlone(findSpeculatively(v, keys, count)),
  },
  {
    name: 'vma-pages-per-vma-lock',
    what: 'page array of the VMA: found under RCU, read-locked by its own lock',
    key: 'vpn',
    threads: (v, keys, count) => runAlone(findUnderVmaLock(v, keys, count)),
  },
  {
    name: 'vma-pages-rcu',
    what: 'page array of the VMA: found under RCU, the tree compared afterwards',
    key: 'vpn',
    threads: (v, keys, count) => runAlone(findUnderRcu(v, keys, count)),
  },
  {
    name: 'vm-foreign',
    what: 'page array of the classic kernel, under mmap_lock',
    key: 'vpn',
    threads: (v, keys, count) => runAlone(findVmForeign(v, keys, count)),
  },
  {
    name: 'find-special-page',
    what: 'the VMA operation of gntdev, under mmap_lock',
    key: 'vpn',
    threads: (v, keys, count) => runAlone(findSpecialPages(v, keys, count)),
  },
  {
    name: 'gup-fast-2',
    what: 'get_user_pages_fast: walk of 2 levels, try-get, re-check, put',
    key: 'vpn',
    threads: (v, keys, count) => runAlone(gupFastPages(v, keys, count)),
  },
  {
    name: 'gup-fast-4',
    what: 'get_user_pages_fast: walk of 4 levels, try-get, re-check, put',
    key: 'vpn',
    threads: (v, keys, count) => runAlone(gupFastPages(v, keys, count)),
  },
  {
    name: 'gup-fast-range',
    what: 'get_user_pages_fast of 16 pages in a row, 4 levels, and put of each',
    key: 'vpn of the first',
    threads: (v, keys, count) => runAlone(gupFastRanges(v, keys, count)),
  },
  {
    name: 'maptrack',
    what: 'grant behind a handle, as unmap begins',
    key: 'handle',
    threads: (v, keys, count) => runAlone(findMappings(v, keys, count)),
  },
  {
    name: 'p2m',
    what: 'frame behind a page frame number',
    key: 'pfn',
    threads: (v, keys, count) => runAlone(translatePfns(v, keys, count)),
  },
  {
    name: 'm2p',
    what: 'page frame number behind an own frame, confirmed by the P2M',
    key: 'mfn',
    threads: (v, keys, count) => runAlone(translateMfns(v, keys, count)),
  },
  {
    name: 'dma-handles',
    what: 'page behind the handle of a DMA mapping',
    key: 'handle',
    threads: (v, keys, count) => runAlone(findDmaPages(v, keys, count)),
  },
];

/** A lookup by name. */
export function lookupOf(name: LookupName): Lookup {
  const found = LOOKUPS.find((lookup) => lookup.name === name);
  if (found === undefined) throw new RangeError(`no lookup is called ${name}`);
  return found;
}

/** Where a field of a table lies: word + i * outer + j * stride, or word + i * stride. */
export interface FieldPlace {
  readonly word: number;
  readonly stride: number;
  readonly outer: number;
  /** Records along the last dimension. */
  readonly count: number;
}

/**
 * The places of all fields of a machine, by `table.field` as tables are declared, e.g.
 * `mm[%].vmaNode`: for code that is not written over the tables, like the native reference.
 */
export function fieldPlaces(machine: Machine): Record<string, FieldPlace> {
  const places: Record<string, FieldPlace> = {};
  for (const { shape } of machine.tables) {
    for (const { name, word, stride, outer, count } of shape.fields) {
      places[`${shape.name}.${name}`] = { word, stride, outer, count };
    }
  }
  return places;
}
