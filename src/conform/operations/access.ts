/** What the test programs read and write by themselves, by the names that recordings give it. */
import { frameWord } from '../../hardware/paging.ts';
import { mem, poke } from '../../shared/memory.ts';
import { P2m } from '../../linux/mm/p2m.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Seen } from '../compare.ts';
import { protection } from '../guest.ts';
import { PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { Allocation, Mapping, Process } from '../world.ts';
import { Unsupported, hasPages } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { numberOf, textOf } from './arguments.ts';

/** Pages of a program's own memory. */
export const LOCAL_PAGES = 4;

/** Where a target's pages are. */
type Target =
  | { readonly kind: 'range'; readonly vpn: number; readonly own: boolean }
  | { readonly kind: 'remote'; readonly allocation: Allocation };

/** The program's own memory, which nobody else writes. */
export function localMemory(scene: Scene, process: Process): Mapping {
  if (process.local !== undefined) return process.local;
  const { guest } = scene;
  const vpn = guest.reserve(LOCAL_PAGES);
  guest.mmap(process.v, vpn, LOCAL_PAGES, protection('rw-'), false, -1, 0);
  const local: Mapping = {
    vpn,
    pages: LOCAL_PAGES,
    map: undefined,
    serial: 0,
    moved: false,
    gone: new Set(),
  };
  process.local = local;
  guest.fill(process.v, vpn, 0, LOCAL_PAGES * PAGE_BYTES, scene.symbols.fresh(true));
  return local;
}

/** Mappings that words like "map2", "fd1", "first mapping", "moved page" can mean. */
function meant(process: Process, words: string): Mapping[] {
  const { mappings } = process;
  const map = /\bmap ?(\d+)/.exec(words)?.[1];
  if (map !== undefined) return mappings.filter((one) => one.map?.serial === Number(map));
  const fd = /\bfd ?(\d+)/.exec(words)?.[1];
  if (fd !== undefined) return mappings.filter((one) => one.map?.file.serial === Number(fd));
  if (/\b(moved|new)\b/.test(words)) return mappings.filter((one) => one.moved);
  if (/\bold\b/.test(words)) return mappings.filter((one) => !one.moved);
  const live = mappings.filter((one) => hasPages(one, 0, one.pages));
  if (/\bfirst\b/.test(words)) return live.slice(0, 1);
  if (/\bsecond\b/.test(words)) return live.slice(1, 2);
  return mappings;
}

/** The target of a read or write. @param last - last page that is looked at. */
function targetOf(scene: Scene, process: Process, words: string, last: number): Target {
  const granter = /^granter(?:'s)? ?(\d*)/.exec(words);
  if (granter !== null) {
    const serial = Number(granter[1] ?? 0);
    const allocation = scene.allocation(process, last + 1, serial);
    if (allocation.kind === 'remote') return { kind: 'remote', allocation };
    return { kind: 'range', vpn: allocation.vpn, own: false };
  }
  if (/^(local|anonymous|private buffer|buffer)\b/.test(words)) {
    return { kind: 'range', vpn: localMemory(scene, process).vpn, own: true };
  }
  const list = meant(process, words).filter((one) => last < one.pages);
  const mapping = scene.choose(list.toReversed(), `a target called "${words}"`);
  return { kind: 'range', vpn: mapping.vpn, own: mapping.map === undefined };
}

function remoteWord(allocation: Allocation, page: number, offset: number, domid: number): number {
  const pfn = pfnOf(allocation.pages[page] as number);
  return frameWord(mem[P2m.value.at2(domid, pfn)] as number, offset);
}

function read(scene: Scene, { step, process }: Call): Seen {
  const pages = numberOf(step, 'pages', 1);
  const first = numberOf(step, 'firstPage', 0);
  const offset = numberOf(step, 'byteInPage', 0);
  const target = targetOf(scene, process, textOf(step, 'target'), first + pages - 1);
  const expected = step.observed?.['bytes'];
  const bytes: (number | string)[] = [];
  for (let i = first; i < first + pages; i++) {
    if (target.kind === 'remote') {
      bytes.push(mem[remoteWord(target.allocation, i, offset, scene.granterDomid)] as number);
      continue;
    }
    const byte = scene.guest.load(process.v, target.vpn + i, offset);
    const seen = Array.isArray(expected) ? (expected as unknown[])[i - first] : undefined;
    bytes.push(target.own ? rewritten(scene, process, target.vpn + i, offset, byte, seen) : byte);
  }
  return { result: 0, errno: null, observed: { bytes } };
}

/**
 * A byte of the program's own memory. What the program wrote there itself it may have written anew
 * since, unseen; what a call wrote there it has not.
 */
function rewritten(
  scene: Scene,
  process: Process,
  vpn: number,
  offset: number,
  byte: number | string,
  seen: unknown,
): number | string {
  const { symbols } = scene;
  if (typeof byte !== 'number' || typeof seen !== 'number') return byte;
  if (!symbols.isRewritable(byte) || symbols.agrees(byte, seen)) return byte;
  const symbol = symbols.fresh(true);
  scene.guest.store(process.v, vpn, offset, symbol);
  return symbol;
}

function write(scene: Scene, { step, process }: Call): Seen {
  const page = numberOf(step, 'page', 0);
  const offset = numberOf(step, 'byteInPage', 0);
  const value = numberOf(step, 'value');
  const target = targetOf(scene, process, textOf(step, 'target'), page);
  if (target.kind === 'remote') {
    poke(remoteWord(target.allocation, page, offset, scene.granterDomid), value);
    return { result: 0, errno: null };
  }
  const signal = scene.guest.store(process.v, target.vpn + page, offset, value);
  if (target.own) process.written.add(target.vpn + page);
  if (signal === null) return { result: 0, errno: null };
  return { result: -1, errno: null, observed: { signal } };
}

/** read() and write() of a target; with operands they are system calls (files.ts). */
export function accessOr(systemCall: Handler, access: 'read' | 'write'): Handler {
  return (scene, call) => {
    if (call.operation.operands.length > 0) return systemCall(scene, call);
    return access === 'read' ? read(scene, call) : write(scene, call);
  };
}

/** A buffer that operands of a system call name: "mapping", "local", "anonymous". */
export function bufferOf(
  scene: Scene,
  process: Process,
  words: string,
  pages: number,
): { readonly vpn: number; readonly own: boolean } {
  const target = targetOf(scene, process, words, 0);
  if (target.kind === 'remote') throw new Unsupported('memory of another domain as a buffer');
  if (target.own) return target;
  const mapping = process.mappings.find(({ vpn }) => vpn === target.vpn);
  const room = Math.max(0, (mapping?.pages ?? pages) - pages);
  const page = scene.choose(
    Array.from({ length: room + 1 }, (_, i) => i),
    'the page of a buffer',
  );
  return { vpn: target.vpn + page, own: false };
}
