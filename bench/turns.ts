/**
 * The writer of each lookup: a turn of changes to what the lookup goes through. Whether a turn can
 * be given, and what it needs beforehand, depends on what the lookup's machine has.
 */
import { firstVcpuOf, kernelBase, ptEntryCount } from '../src/hardware/params.ts';
import { gntdevOpen } from '../src/linux/drivers/gntdev/file.ts';
import { gnttabGrantForeignAccess } from '../src/linux/drivers/grant-table.ts';
import { CurrentMm } from '../src/linux/mm/mm-life.ts';
import { allocPage } from '../src/linux/mm/page-alloc.ts';
import { pfnOf } from '../src/linux/mm/page.ts';
import { ConfigError } from '../src/shared/layout.ts';
import { readLocal, runAlone, writeLocal } from '../src/shared/operations.ts';
import {
  ARG_GRANTS,
  TURN_PAGES,
  turnAnonymous,
  turnDmaHandle,
  turnGrants,
  turnHandle,
  turnM2p,
  turnOverride,
  turnP2m,
} from './loops/change.ts';
import type { LookupName } from './lookup-names.ts';
import type { Shape } from './machine.ts';
import { FIRST_VPN, MOST_BATCH, SPARE_ENTRIES, allEntries } from './machine.ts';
import type { Entries } from './populate.ts';
import { BenchArgument } from './tables.ts';

/** One turn. @returns 0, negative if the kernel refused something. */
export type Turn = () => number;

/** Addresses of a writer: page tables of its own. */
export function addressesOf(shape: Shape, v: number): number {
  const span = ptEntryCount();
  const behind = Math.ceil((FIRST_VPN + allEntries(shape)) / span) * span;
  const own = behind + (1 + v) * 2 * Math.max(span, MOST_BATCH);
  if (own + MOST_BATCH > kernelBase()) throw new ConfigError('no addresses are left for a writer');
  return own;
}

/**
 * Domain 1 grants pages, which the vCPU may map. Alone: before anybody runs.
 * @returns the vCPU's open file of gntdev.
 */
export function grantPages(v: number, count: number): number {
  const granter = firstVcpuOf(1);
  for (let i = 0; i < count; i++) {
    const pg = runAlone(allocPage(granter));
    if (pg < 0) throw new ConfigError('domain 1 has too few pages to grant');
    const ref = runAlone(gnttabGrantForeignAccess(granter, 0, pfnOf(pg), 0));
    if (ref < 0) throw new ConfigError('domain 1 has too few grants');
    writeLocal(BenchArgument.value.at2(v, ARG_GRANTS + 2 * i), 1);
    writeLocal(BenchArgument.value.at2(v, ARG_GRANTS + 2 * i + 1), ref);
  }
  const fd = runAlone(gntdevOpen(v, readLocal(CurrentMm.value.at(v))));
  if (fd < 0) throw new ConfigError('too few open files of gntdev');
  return fd;
}

/** Takes turns with entries that nobody looks up, one after the other. */
function alternate(v: number, turn: (i: number) => number): Turn {
  const first = SPARE_ENTRIES * v;
  let next = 0;
  return () => {
    next = (next + 1) % SPARE_ENTRIES;
    return turn(first + next);
  };
}

function at(list: Int32Array, i: number): number {
  return list[i] as number;
}

/** Makes the turn of a vCPU; alone, after populate(). */
export function makeTurn(lookup: LookupName, shape: Shape, v: number, entries: Entries): Turn {
  const { keys, results } = entries;
  switch (lookup) {
    case 'm2p-override':
    case 'm2p-override-bucket-locks':
      return alternate(v, (i) => runAlone(turnOverride(v, at(results, i), at(keys, i))));
    case 'p2m':
      return alternate(v, (i) => runAlone(turnP2m(v, at(keys, i), at(results, i))));
    case 'm2p':
      return alternate(v, (i) => runAlone(turnM2p(at(keys, i), at(results, i))));
    case 'maptrack':
      return () => runAlone(turnHandle(v));
    case 'dma-handles':
      return alternate(v, (i) => runAlone(turnDmaHandle(at(results, i))));
    case 'gup-fast-2':
    case 'gup-fast-4':
    case 'gup-fast-range': {
      const own = addressesOf(shape, v);
      return () => runAlone(turnAnonymous(v, own));
    }
    default: {
      const own = addressesOf(shape, v);
      const fd = grantPages(v, TURN_PAGES);
      // Splitting breaks the other two: see the matrix, partial-munmap.
      const split = lookup.startsWith('vma-pages') ? 1 : 0;
      return () => runAlone(turnGrants(v, own, fd, TURN_PAGES, split));
    }
  }
}
