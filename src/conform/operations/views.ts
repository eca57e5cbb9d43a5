/** What /proc shows of a mapping. */
import { currentMm } from '../../linux/mm/mm-life.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_GNTALLOC, VM_OPS_GNTDEV } from '../../linux/mm/vm-ops.ts';
import {
  PAGEMAP_WORDS,
  PM_FILE,
  PM_MMAP_EXCLUSIVE,
  PM_PRESENT,
  kpagecount,
  pagemapRead,
} from '../../linux/proc/pagemap.ts';
import {
  PSS_SHIFT,
  SMAP_END,
  SMAP_FLAGS,
  SMAP_OPS,
  SMAP_PGOFF,
  SMAP_PSS,
  SMAP_RSS,
  SMAP_START,
  showSmap,
} from '../../linux/proc/smaps.ts';
import { permsText, vmFlagsText } from '../../linux/proc/vm-flags.ts';
import { mem } from '../../shared/memory.ts';
import type { Seen } from '../compare.ts';
import { Argument, PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { Mapping, Process } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { rangeOf } from './memory.ts';

const KIB = 1024;

/** What a VMA's file is called. */
function pathOf(ops: number): string {
  if (ops === VM_OPS_GNTDEV) return '/dev/xen/gntdev';
  if (ops === VM_OPS_GNTALLOC) return '/dev/xen/gntalloc';
  return ops === VM_OPS_ANONYMOUS ? '' : '/tmp/file';
}

function smaps(scene: Scene, call: Call): Seen {
  const { process } = call;
  const { mapping, pages } = rangeOf(scene, call);
  const out = Argument.value.at(0);
  const field = (i: number): number => mem[out + i] as number;
  const vmas: object[] = [];
  let vpn = mapping.vpn;
  while (scene.guest.call(showSmap(process.v, currentMm(process.v), vpn, out)) === 1) {
    const [start, end] = [field(SMAP_START), field(SMAP_END)];
    if (start >= mapping.vpn + pages) break;
    const flags = field(SMAP_FLAGS);
    vmas.push({
      firstPage: start - mapping.vpn,
      pages: end - start,
      perms: permsText(flags),
      fileOffset: field(SMAP_PGOFF) * PAGE_BYTES,
      path: pathOf(field(SMAP_OPS)),
      rssKb: (field(SMAP_RSS) * PAGE_BYTES) / KIB,
      pssKb: Math.floor((field(SMAP_PSS) * PAGE_BYTES) / KIB / (1 << PSS_SHIFT)),
      vmFlags: vmFlagsText(flags),
    });
    vpn = end;
  }
  return { result: 0, errno: null, observed: { vmas } };
}

/** Bits and page frame number of an address. */
function pagemapAt(scene: Scene, process: Process, vpn: number): { bits: number; pfn: number } {
  const out = Argument.value.at(PAGEMAP_WORDS);
  scene.guest.stage.call(pagemapRead(process.v, currentMm(process.v), vpn, 1, out));
  return { bits: mem[out] as number, pfn: mem[out + 1] as number };
}

/** The page of the granter behind a page of a mapping, 0 if the program cannot see it. */
function granterPfn(scene: Scene, process: Process, mapping: Mapping, page: number): number {
  const ref = mapping.map?.refs[page];
  for (const { refs, vpn } of process.allocations) {
    const i = refs.indexOf(ref ?? -1);
    if (i >= 0 && vpn > 0) return pagemapAt(scene, process, vpn + i).pfn;
  }
  return 0;
}

function pagemap(scene: Scene, call: Call): Seen {
  const { process } = call;
  const { mapping, first, pages: count } = rangeOf(scene, call);
  const pages = Array.from({ length: count }, (_, i) => {
    const { bits, pfn } = pagemapAt(scene, process, mapping.vpn + first + i);
    const present = (bits & PM_PRESENT) !== 0;
    const none = !present || pfn === 0;
    const granter = granterPfn(scene, process, mapping, first + i);
    return {
      present,
      samePfnAsGranterPage: !none && pfn === granter,
      exclusiveBit: (bits & PM_MMAP_EXCLUSIVE) !== 0 ? 1 : 0,
      fileOrSharedBit: (bits & PM_FILE) !== 0 ? 1 : 0,
      kpagecount: none ? -1 : scene.guest.call(kpagecount(process.v, pfn)),
    };
  });
  return { result: 0, errno: null, observed: { pages } };
}

export const viewOperations: Readonly<Record<string, Handler>> = { smaps, pagemap };
