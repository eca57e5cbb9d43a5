/** GRANT_COPY: between grants and the program's own memory, or a mapping. */
import { mem } from '../../shared/memory.ts';
import {
  COPY_SEGMENT_STATUS,
  COPY_SEGMENT_WORDS,
  IOCTL_GNTDEV_GRANT_COPY,
} from '../../linux/uapi/gntdev.ts';
import { writeLocal } from '../../shared/operations.ts';
import { GNTCOPY_dest_gref, GNTCOPY_source_gref } from '../../xen/public/grant-table.ts';
import type { Seen } from '../compare.ts';
import { protection, resultOf } from '../guest.ts';
import { Argument, PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { Process } from '../world.ts';
import { Unsupported } from '../world.ts';
import { bufferOf, localMemory } from './access.ts';
import type { Call, Handler } from './arguments.ts';

/** What a program puts into a segment's status beforehand. */
const UNTOUCHED = 77;
/** Where the segments lie among the words for arguments. */
const SEGMENTS = 64;

interface Segment {
  readonly src: string;
  readonly dst: string;
  readonly ref: string;
  readonly grantOffset: number;
  readonly len: number;
}

function segmentsOf({ step }: Call): Segment[] {
  const list = step.args['segments'] ?? [];
  if (!Array.isArray(list)) throw new Unsupported('segments that are no list');
  return list as Segment[];
}

/** An address of the program: a page, and a byte from its beginning. */
interface Local {
  readonly vpn: number;
  readonly offset: number;
}

/** A page of the program that it may only read. */
function readOnlyPage(scene: Scene, process: Process): Local {
  const vpn = scene.guest.reserve(2);
  scene.guest.mmap(process.v, vpn, 2, protection('r--'), false, -1, 0);
  return { vpn, offset: 0 };
}

/** The local side, from the words of the step. */
function localOf(scene: Scene, call: Call, what: string, index: number, of: number): Local {
  const { process } = call;
  if (/bad local/i.test(what)) return { vpn: 1, offset: 0 };
  if (/read-only local/i.test(what)) return readOnlyPage(scene, process);
  if (/\bmapping\b/i.test(what)) return { ...bufferOf(scene, process, 'mapping', 1), offset: 0 };
  const { vpn } = localMemory(scene, process);
  if (/crosses a page/i.test(what) && /local/i.test(what)) return { vpn, offset: PAGE_BYTES / 2 };
  const distance = of > 1 ? scene.choose([100, PAGE_BYTES, 64], 'the distance of buffers') : 0;
  return { vpn, offset: index * distance };
}

/** A program may fill its memory before it copies into it, to see what came. */
function mayFillAnew(scene: Scene, process: Process): void {
  const { local } = process;
  if (local === undefined || scene.choose([true, false], 'the contents of a buffer')) return;
  const symbol = scene.symbols.fresh(true);
  scene.guest.fill(process.v, local.vpn, 0, local.pages * PAGE_BYTES, symbol);
}

/** A program fills what it copies from. */
function prepare(scene: Scene, call: Call, segment: Segment, local: Local): void {
  if (segment.src !== 'local') return;
  const own = call.process.local;
  if (own === undefined || local.vpn < own.vpn || local.vpn >= own.vpn + own.pages) return;
  const symbol = scene.symbols.fresh(true);
  scene.guest.fill(call.process.v, local.vpn, local.offset, segment.len, symbol);
}

function sideWords(scene: Scene, side: string, segment: Segment, local: Local, domid: number) {
  if (side === 'grant') return [scene.ref(segment.ref), segment.grantOffset, domid];
  return [local.vpn, local.offset, 0];
}

/** The granting domain, or the one that words name. */
function domidOf(scene: Scene, what: string): number {
  const named = /bad domid (\d+)/.exec(what)?.[1];
  return named === undefined ? scene.granterDomid : Number(named);
}

function grantCopy(scene: Scene, call: Call): Seen {
  const { process, step } = call;
  const what = String(step.args['what'] ?? '');
  const file = scene.file(process, 'gntdev', 'never');
  const segments = segmentsOf(call);
  const domid = domidOf(scene, what);
  const first = Argument.value.at(SEGMENTS);
  if (segments.some(({ dst }) => dst === 'local')) mayFillAnew(scene, process);
  segments.forEach((segment, i) => {
    const { src, dst, len } = segment;
    const local = localOf(scene, call, what, i, segments.length);
    prepare(scene, call, segment, local);
    const flags =
      (src === 'grant' ? GNTCOPY_source_gref : 0) | (dst === 'grant' ? GNTCOPY_dest_gref : 0);
    const from = sideWords(scene, src, segment, local, domid);
    const to = sideWords(scene, dst, segment, local, domid);
    const words = [...from, ...to, len, flags, UNTOUCHED];
    words.forEach((word, j) => writeLocal(first + i * COPY_SEGMENT_WORDS + j, word));
  });
  const cmd = IOCTL_GNTDEV_GRANT_COPY;
  const words = [segments.length, first];
  const status = scene.guest.ioctl(process.v, file.fd, cmd, words);
  const statuses = segments.map(
    (_, i) => mem[first + i * COPY_SEGMENT_WORDS + COPY_SEGMENT_STATUS] as number,
  );
  return resultOf(status, { status: statuses });
}

export const copyOperations: Readonly<Record<string, Handler>> = {
  'gntdev.GRANT_COPY': grantCopy,
};
