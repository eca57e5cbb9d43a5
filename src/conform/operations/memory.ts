/** System calls on address ranges: mmap, munmap, mprotect and their kind. */
import * as advice from '../../linux/mm/advice.ts';
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../linux/mm/mremap.ts';
import { sysMadvise } from '../../linux/syscall/madvise.ts';
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC } from '../../linux/syscall/mman.ts';
import { sysMincore } from '../../linux/syscall/mincore.ts';
import { sysMlock2, sysMunlock } from '../../linux/syscall/mlock.ts';
import { sysMunmap } from '../../linux/syscall/mmap.ts';
import { sysMprotect } from '../../linux/syscall/mprotect.ts';
import { sysMremap } from '../../linux/syscall/mremap.ts';
import { sysMsync } from '../../linux/syscall/msync.ts';
import { sysMovePagesQuery } from '../../linux/fs/move-pages.ts';
import { mem } from '../../shared/memory.ts';
import { writeLocal } from '../../shared/operations.ts';
import type { Op } from '../../shared/op.ts';
import type { Seen } from '../compare.ts';
import { protection, resultOf } from '../guest.ts';
import { Argument, PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { Mapping, Process } from '../world.ts';
import { Unsupported, hasPages } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { numberOf, textOf } from './arguments.ts';
import { addressOf } from './buffer.ts';
import { mmapGntdev } from './gntdev.ts';
import { mmapGntalloc } from './grants.ts';

function mmap(scene: Scene, call: Call): Seen {
  const [of = ''] = call.operation.operands;
  if (of === 'gntdev') return mmapGntdev(scene, call);
  if (of === 'gntalloc') return mmapGntalloc(scene, call);
  if (of !== 'anonymous') throw new Unsupported(`mmap of ${of}`);
  const { step, process } = call;
  const pages = numberOf(step, 'pages');
  const shared = textOf(step, 'flags', 'PRIVATE').includes('SHARED');
  const vpn = scene.guest.reserve(pages);
  const prot = protection(textOf(step, 'prot', 'rw-'));
  const status = scene.guest.mmap(process.v, vpn, pages, prot, shared, -1, 0);
  if (status < 0) return resultOf(status);
  const serial = scene.serial('mapping');
  process.mappings.push({ vpn, pages, map: undefined, serial, moved: false, gone: new Set() });
  return resultOf(0);
}

/** The mapping that munmap means: one of which the program still has these pages, the oldest. */
function oldestMapping(scene: Scene, process: Process, first: number, pages: number): Mapping {
  const fit = process.mappings.filter((mapping) => first + pages <= mapping.pages);
  const used = fit.filter((mapping) => hasPages(mapping, first, pages));
  const order = (used.length > 0 ? used : fit).toSorted(
    (one, other) => (one.map?.serial ?? one.serial) - (other.map?.serial ?? other.serial),
  );
  return scene.choose(order, 'a mapping of this size');
}

function munmap(scene: Scene, { step, process, operation }: Call): Seen {
  const { v } = process;
  if (/granter|gntalloc/.test(operation.operands[0] ?? '')) {
    const own = scene.allocation(process, 1);
    return resultOf(scene.guest.call(sysMunmap(v, addressOf(own.vpn), own.count * PAGE_BYTES)));
  }
  const first = numberOf(step, 'firstPage', 0);
  const pages = numberOf(step, 'pages');
  const mapping = oldestMapping(scene, process, first, pages);
  const body = sysMunmap(v, addressOf(mapping.vpn + first), pages * PAGE_BYTES);
  const status = scene.guest.call(body);
  if (status === 0) for (let i = first; i < first + pages; i++) mapping.gone.add(i);
  return resultOf(status);
}

/** The pages that a step is about, of a mapping: all of it where the step does not say. */
interface Range {
  readonly mapping: Mapping;
  readonly first: number;
  readonly pages: number;
  readonly address: number;
  readonly length: number;
}

export function rangeOf(scene: Scene, { step, process }: Call): Range {
  const first = numberOf(step, 'firstPage', 0);
  const told = step.args['pages'];
  const mapping = scene.mapping(process, first, typeof told === 'number' ? told : 1);
  const pages = typeof told === 'number' ? told : mapping.pages - first;
  const address = addressOf(mapping.vpn + first);
  return { mapping, first, pages, address, length: pages * PAGE_BYTES };
}

function mprotect(scene: Scene, call: Call): Seen {
  const { step, process } = call;
  // A step that only says that there is no call at this place.
  if (step.args['prot'] === undefined && step.args['note'] !== undefined) return resultOf(0);
  const { address, length } = rangeOf(scene, call);
  const prot = protection(textOf(step, 'prot'));
  return resultOf(scene.guest.call(sysMprotect(process.v, address, length, prot)));
}

/** "MAYMOVE|FIXED", or 0. */
function remapFlags(told: unknown): number {
  const text = String(told ?? '');
  return (
    (text.includes('MAYMOVE') ? MREMAP_MAYMOVE : 0) |
    (text.includes('FIXED') ? MREMAP_FIXED : 0) |
    (text.includes('DONTUNMAP') ? MREMAP_DONTUNMAP : 0)
  );
}

function mremap(scene: Scene, { step, process }: Call): Seen {
  const first = numberOf(step, 'firstPage', 0);
  const [from, to] = [numberOf(step, 'oldPages'), numberOf(step, 'newPages')];
  const mapping = scene.mapping(process, first, from);
  const target = scene.guest.reserve(to);
  const old = mapping.vpn + first;
  const flags = remapFlags(step.args['flags']);
  const status = scene.guest.call(
    sysMremap(
      process.v,
      addressOf(old),
      from * PAGE_BYTES,
      to * PAGE_BYTES,
      flags,
      addressOf(target),
    ),
  );
  if (status < 0) return resultOf(status);
  const vpn = status / PAGE_BYTES;
  if (vpn === old) {
    for (let i = to; i < from; i++) mapping.gone.add(first + i);
    return resultOf(0);
  }
  if ((flags & MREMAP_DONTUNMAP) === 0) for (let i = 0; i < from; i++) mapping.gone.add(first + i);
  const serial = scene.serial('mapping');
  const { map } = mapping;
  process.mappings.push({ vpn, pages: to, map, serial, moved: true, gone: new Set() });
  return resultOf(0);
}

const ADVICE = new Map(Object.entries(advice).filter(([name]) => name.startsWith('MADV_')));

function madvise(scene: Scene, call: Call): Seen {
  const { step, process } = call;
  const name = textOf(step, 'advice');
  const number = ADVICE.get(name.startsWith('MADV_') ? name : `MADV_${name}`);
  if (typeof number !== 'number') throw new Unsupported(`madvise with ${name}`);
  const { address, length } = rangeOf(scene, call);
  return resultOf(scene.guest.call(sysMadvise(process.v, address, length, number)));
}

/** A call that takes a range and no more. */
function onRange(body: (v: number, address: number, length: number) => Op): Handler {
  return (scene, call) => {
    const { address, length } = rangeOf(scene, call);
    return resultOf(scene.guest.call(body(call.process.v, address, length)));
  };
}

function msync(scene: Scene, call: Call): Seen {
  const text = textOf(call.step, 'flags', 'MS_SYNC');
  const flags =
    (/\bMS_SYNC\b/.test(text) ? MS_SYNC : 0) |
    (text.includes('ASYNC') ? MS_ASYNC : 0) |
    (text.includes('INVALIDATE') ? MS_INVALIDATE : 0);
  const { address, length } = rangeOf(scene, call);
  return resultOf(scene.guest.call(sysMsync(call.process.v, address, length, flags)));
}

function mincore(scene: Scene, call: Call): Seen {
  const { address, length, pages } = rangeOf(scene, call);
  const vec = Argument.value.at(0);
  const status = scene.guest.call(sysMincore(call.process.v, address, length, vec));
  if (status < 0) return resultOf(status);
  return resultOf(0, { vec: Array.from({ length: pages }, (_, i) => mem[vec + i] as number) });
}

/** move_pages(query): on which node each page is. */
function movePages(scene: Scene, call: Call): Seen {
  const { address, pages } = rangeOf(scene, call);
  const list = Argument.value.at(0);
  const status = Argument.value.at(pages);
  for (let i = 0; i < pages; i++) writeLocal(list + i, address + i * PAGE_BYTES);
  const result = scene.guest.call(sysMovePagesQuery(call.process.v, 0, pages, list, status));
  if (result < 0) return resultOf(result);
  const seen = Array.from({ length: pages }, (_, i) => mem[status + i] as number);
  return resultOf(0, { status: seen });
}

export const memoryOperations: Readonly<Record<string, Handler>> = {
  mmap,
  munmap,
  mprotect,
  mremap,
  madvise,
  mlock: onRange((v, address, length) => sysMlock2(v, address, length, 0)),
  munlock: onRange(sysMunlock),
  msync,
  mincore,
  move_pages: movePages,
};
