/** System calls on address ranges: mmap, munmap, mprotect and their kind. */
import { currentMm } from '../../linux/mm/mm-life.ts';
import { mprotect } from '../../linux/mm/mprotect.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import type { Seen } from '../compare.ts';
import { protection, resultOf } from '../guest.ts';
import type { Scene } from '../scene.ts';
import type { Mapping, Process } from '../world.ts';
import { Unsupported, hasPages } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { numberOf, textOf } from './arguments.ts';
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
export function oldestMapping(
  scene: Scene,
  process: Process,
  first: number,
  pages: number,
): Mapping {
  const fit = process.mappings.filter((mapping) => first + pages <= mapping.pages);
  const used = fit.filter((mapping) => hasPages(mapping, first, pages));
  const order = (used.length > 0 ? used : fit).toSorted(
    (one, other) => (one.map?.serial ?? one.serial) - (other.map?.serial ?? other.serial),
  );
  return scene.choose(order, 'a mapping of this size');
}

function munmap(scene: Scene, { step, process, operation }: Call): Seen {
  if (operation.operands[0] === 'granter') {
    const own = scene.allocation(process, 1);
    const body = doMunmap(process.v, currentMm(process.v), own.vpn, own.count);
    return resultOf(scene.guest.call(body));
  }
  const first = numberOf(step, 'firstPage', 0);
  const pages = numberOf(step, 'pages');
  const mapping = oldestMapping(scene, process, first, pages);
  const body = doMunmap(process.v, currentMm(process.v), mapping.vpn + first, pages);
  const status = scene.guest.call(body);
  if (status === 0) for (let i = first; i < first + pages; i++) mapping.gone.add(i);
  return resultOf(status);
}

function protect(scene: Scene, { step, process }: Call): Seen {
  // A step that only says that there is no call at this place.
  if (step.args['prot'] === undefined && step.args['note'] !== undefined) return resultOf(0);
  const first = numberOf(step, 'firstPage', 0);
  const pages = numberOf(step, 'pages', 1);
  const mapping = scene.mapping(process, first, pages);
  const access = protection(textOf(step, 'prot'));
  const start = mapping.vpn + first;
  return resultOf(
    scene.guest.call(mprotect(process.v, currentMm(process.v), start, pages, access)),
  );
}

export const memoryOperations: Readonly<Record<string, Handler>> = {
  mmap,
  munmap,
  mprotect: protect,
};
