/** Granting: calls of /dev/xen/gntalloc, and what a guest domain grants to the test domain. */
import { REG_MFN, reg } from '../../hardware/vcpu.ts';
import { frameWord } from '../../hardware/paging.ts';
import { gnttabGrantForeignAccess } from '../../linux/drivers/grant-table.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { NO_PAGE, pfnOf } from '../../linux/mm/page.ts';
import { ioc } from '../../linux/uapi/ioctl.ts';
import {
  ALLOC_GREF_IDS,
  ALLOC_GREF_INDEX,
  GNTALLOC_FLAG_WRITABLE,
  IOCTL_GNTALLOC_ALLOC_GREF,
  IOCTL_GNTALLOC_DEALLOC_GREF,
  IOCTL_GNTALLOC_SET_UNMAP_NOTIFY,
} from '../../linux/uapi/gntalloc.ts';
import { poke } from '../../shared/memory.ts';
import type { Seen } from '../compare.ts';
import { protection, resultOf } from '../guest.ts';
import { PAGE_BYTES, TEST_DOMAIN } from '../machine.ts';
import type { Scene } from '../scene.ts';
import { GRANTING_VCPU } from '../scene.ts';
import type { OpenFile, Process } from '../world.ts';
import { Unsupported, openFiles } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { abbreviated, numberOf } from './arguments.ts';
import { argument, notifyWords } from './gntdev.ts';

/** What the granter writes into its page i: 160 + i, a byte. */
function fillOf(i: number): number {
  return (160 + i) & 0xff;
}

/** The granter maps its pages and fills them. @returns vpn. */
function mapOwn(scene: Scene, process: Process, file: OpenFile, index: number, count: number) {
  const { guest } = scene;
  const vpn = guest.reserve(count);
  const status = guest.mmap(process.v, vpn, count, protection('rw-'), true, file.fd, index);
  if (status < 0) throw new Unsupported(`a granter that cannot map its ${count} pages`);
  for (let i = 0; i < count; i++) {
    // The first store is the program's; the others go where it went.
    guest.store(process.v, vpn + i, 0, fillOf(i));
    const mfn = reg(process.v, REG_MFN);
    for (let offset = 1; offset < PAGE_BYTES; offset++) poke(frameWord(mfn, offset), fillOf(i));
  }
  return vpn;
}

function allocGref(scene: Scene, { step, process }: Call): Seen {
  const last = openFiles(process, 'gntalloc')[0];
  const file = scene.file(process, 'gntalloc', last?.used === true ? 'first' : 'last');
  file.used = true;
  const count = numberOf(step, 'count');
  const flags = numberOf(step, 'flags');
  const words = [numberOf(step, 'domid') & 0xffff, flags, count | 0, 0];
  const cmd = IOCTL_GNTALLOC_ALLOC_GREF;
  const status = scene.guest.ioctl(process.v, file.fd, cmd, words);
  if (status < 0) return resultOf(status);
  const index = argument(ALLOC_GREF_INDEX);
  const refs = Array.from({ length: count }, (_, i) => argument(ALLOC_GREF_IDS + i));
  const names = refs.map((ref) => scene.nameGrant(ref));
  if (count > 0) {
    process.allocations.push({
      kind: 'gntalloc',
      serial: scene.serial('allocation'),
      count,
      refs,
      vpn: mapOwn(scene, process, file, index, count),
      pages: [],
      file,
      readonly: (flags & GNTALLOC_FLAG_WRITABLE) === 0,
    });
  }
  return resultOf(0, { index: index * PAGE_BYTES, refs: abbreviated(names) });
}

function onFile(cmd: number, wordsOf: (scene: Scene, call: Call) => number[]): Handler {
  return (scene, call) => {
    const file = scene.file(call.process, 'gntalloc', 'never');
    const words = wordsOf(scene, call);
    return resultOf(scene.guest.ioctl(call.process.v, file.fd, cmd, words));
  };
}

function deallocWords(_scene: Scene, { step }: Call): number[] {
  return [numberOf(step, 'index') / PAGE_BYTES, numberOf(step, 'count')];
}

/** mmap(gntalloc), of the pages of the last call where the recording names none. */
export function mmapGntalloc(scene: Scene, { step, process }: Call): Seen {
  const file = scene.file(process, 'gntalloc', 'never');
  const last = process.allocations.findLast((one) => one.file === file);
  const pages = numberOf(step, 'pages', last?.count ?? 0);
  const index = numberOf(step, 'offset', 0) / PAGE_BYTES;
  const vpn = scene.guest.reserve(pages);
  const shared = step.args['flags'] !== 'PRIVATE';
  const prot = protection('rw-');
  const status = scene.guest.mmap(process.v, vpn, pages, prot, shared, file.fd, index);
  return resultOf(Math.min(status, 0));
}

/** remote.grant: the kernel of the other domain grants pages of its own. */
function remoteGrant(scene: Scene, { step, process }: Call): Seen {
  const count = numberOf(step, 'count');
  const readonly = (numberOf(step, 'flags', 1) & GNTALLOC_FLAG_WRITABLE) === 0;
  const { stage } = scene.guest;
  const refs: number[] = [];
  const pages: number[] = [];
  for (let i = 0; i < count; i++) {
    const page = stage.call(allocPage(GRANTING_VCPU));
    if (page === NO_PAGE) throw new Unsupported(`a granting domain with ${count} pages`);
    scene.fillPage(scene.granterDomid, page, () => fillOf(i));
    const pfn = pfnOf(page);
    const grant = gnttabGrantForeignAccess(GRANTING_VCPU, TEST_DOMAIN, pfn, readonly ? 1 : 0);
    refs.push(stage.call(grant));
    pages.push(page);
  }
  const names = refs.map((ref) => scene.nameGrant(ref));
  const serial = scene.serial('allocation');
  const common = { kind: 'remote', serial, count, refs, vpn: 0, pages, readonly } as const;
  process.allocations.push({ ...common, file: undefined });
  return resultOf(0, { refs: abbreviated(names) });
}

export const grantOperations: Readonly<Record<string, Handler>> = {
  'gntalloc.ALLOC_GREF': allocGref,
  'gntalloc.DEALLOC_GREF': onFile(IOCTL_GNTALLOC_DEALLOC_GREF, deallocWords),
  'gntalloc.SET_UNMAP_NOTIFY': onFile(IOCTL_GNTALLOC_SET_UNMAP_NOTIFY, notifyWords),
  'gntalloc.unknown_ioctl': onFile(ioc('G', 99, 0), () => [0]),
  'remote.grant': remoteGrant,
};
