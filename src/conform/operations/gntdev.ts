/** Calls of /dev/xen/gntdev. */
import { mem } from '../../shared/memory.ts';
import { ioc } from '../../linux/uapi/ioctl.ts';
import {
  GET_OFFSET_COUNT,
  GET_OFFSET_OFFSET,
  IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR,
  IOCTL_GNTDEV_MAP_GRANT_REF,
  IOCTL_GNTDEV_SET_MAX_GRANTS,
  IOCTL_GNTDEV_SET_UNMAP_NOTIFY,
  IOCTL_GNTDEV_UNMAP_GRANT_REF,
  MAP_GRANT_REF_INDEX,
  UNMAP_NOTIFY_CLEAR_BYTE,
  UNMAP_NOTIFY_SEND_EVENT,
} from '../../linux/uapi/gntdev.ts';
import type { Seen } from '../compare.ts';
import { protection, resultOf } from '../guest.ts';
import { Argument, PAGE_BYTES } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { GrantMap, OpenFile, Process } from '../world.ts';
import { openFiles } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { listOf, numberOf, textOf } from './arguments.ts';

/** Records that fit into the programs' memory for arguments. */
const REFS_LIMIT = 1024;
/** A port that no program has bound. */
const NO_PORT = 99_999;
/** An action that the driver does not know. */
const UNKNOWN_ACTION = 8;

/** A word of the argument of the last call. */
export function argument(i: number): number {
  return mem[Argument.value.at(i)] as number;
}

/** A page of anonymous memory that the program has for such purposes. */
function anonymousPage(scene: Scene, process: Process): number {
  const vpn = scene.guest.reserve(1);
  scene.guest.mmap(process.v, vpn, 1, protection('rw-'), false, -1, 0);
  return vpn;
}

function mapGrantRef(scene: Scene, { step, process }: Call): Seen {
  const file = scene.file(process, 'gntdev', 'last');
  file.used = true;
  const { v } = process;
  if (step.args['arg'] === 'NULL') {
    return resultOf(scene.guest.ioctl(v, file.fd, IOCTL_GNTDEV_MAP_GRANT_REF, null));
  }
  const count = numberOf(step, 'count');
  const words = [count | 0, 0];
  const mapped: number[] = [];
  if (count <= REFS_LIMIT) {
    const domids = listOf(step, 'domids', count);
    const refs = listOf(step, 'refs', count);
    refs.forEach((name, i) => {
      const ref = scene.ref(String(name));
      mapped.push(ref);
      words.push(Number(domids[i]), ref);
    });
  }
  const status = scene.guest.ioctl(v, file.fd, IOCTL_GNTDEV_MAP_GRANT_REF, words);
  if (status < 0) return resultOf(status);
  const index = argument(MAP_GRANT_REF_INDEX);
  const serial = scene.serial('map');
  process.maps.push({ file, index, refs: mapped, pages: count, serial, mapped: false });
  return resultOf(status, { index: index * PAGE_BYTES });
}

function unmapGrantRef(scene: Scene, { step, process }: Call): Seen {
  const index = numberOf(step, 'index');
  const page = Math.floor(index / PAGE_BYTES);
  const file = fileOfMap(scene, process, page);
  const words = [page, numberOf(step, 'count')];
  return resultOf(scene.guest.ioctl(process.v, file.fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, words));
}

/** The file whose map has an offset, or any other. */
function fileOfMap(scene: Scene, process: Process, index: number): OpenFile {
  const list = openFiles(process, 'gntdev');
  if (list.length === 0) return scene.open(process, 'gntdev');
  const having = list.filter((file) =>
    process.maps.some((map) => map.file === file && map.index === index),
  );
  return scene.choose([...having, ...list.filter((file) => !having.includes(file))], 'gntdev');
}

/** Where an address of GET_OFFSET_FOR_VADDR is, in the words that come before it. */
function addressOf(scene: Scene, call: Call): number {
  const { step, process } = call;
  const page = numberOf(step, 'page', 0);
  const { words } = process;
  if (/anonymous/i.test(words)) return anonymousPage(scene, process);
  if (/address 0|null/i.test(words)) return 0;
  if (/gntalloc|granter/i.test(words)) return scene.allocation(process, 1).vpn + page;
  return scene.mapping(process, page, 1).vpn + page;
}

function getOffsetForVaddr(scene: Scene, call: Call): Seen {
  const { process } = call;
  const another = /\b(another|other)\b/i.test(process.words);
  const vpn = addressOf(scene, call);
  const list = openFiles(process, 'gntdev');
  const file = another && list.length < 2 ? scene.open(process, 'gntdev') : list[0];
  const { fd } = file ?? scene.open(process, 'gntdev');
  const cmd = IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR;
  const status = scene.guest.ioctl(process.v, fd, cmd, [vpn]);
  if (status < 0) return resultOf(status);
  const offset = argument(GET_OFFSET_OFFSET) * PAGE_BYTES;
  return resultOf(status, { offset, count: argument(GET_OFFSET_COUNT) });
}

/** "CLEAR_BYTE|SEND_EVENT", "none", "" for one that nobody knows. */
export function notifyAction(text: string): number {
  if (text === 'none') return 0;
  const clear = text.includes('CLEAR_BYTE') ? UNMAP_NOTIFY_CLEAR_BYTE : 0;
  const send = text.includes('SEND_EVENT') ? UNMAP_NOTIFY_SEND_EVENT : 0;
  return clear | send || UNKNOWN_ACTION;
}

/** Words of struct ioctl_gntdev_unmap_notify, which gntalloc shares. */
export function notifyWords(scene: Scene, { step }: Call): number[] {
  const index = numberOf(step, 'index');
  const port = textOf(step, 'port', 'none') === 'none' ? 0 : scene.port || NO_PORT;
  const page = Math.floor(index / PAGE_BYTES);
  return [page, index % PAGE_BYTES, notifyAction(textOf(step, 'action', 'none')), port];
}

function setUnmapNotify(scene: Scene, call: Call): Seen {
  const words = notifyWords(scene, call);
  const { process } = call;
  const file = fileOfMap(scene, process, words[0] as number);
  const cmd = IOCTL_GNTDEV_SET_UNMAP_NOTIFY;
  return resultOf(scene.guest.ioctl(process.v, file.fd, cmd, words));
}

function plain(cmd: number): Handler {
  return (scene, { step, process }) => {
    const file = scene.file(process, 'gntdev', 'never');
    const words = [numberOf(step, 'count', 0)];
    return resultOf(scene.guest.ioctl(process.v, file.fd, cmd, words));
  };
}

/** The map that mmap asks for: of a file that has it, not mapped yet if there is one. */
function fileToMap(scene: Scene, process: Process, index: number, pages: number): OpenFile {
  const list = openFiles(process, 'gntdev');
  if (list.length === 0) return scene.open(process, 'gntdev');
  const rank = (file: OpenFile): number => {
    const map = findMap(process, file, index);
    if (map === undefined) return 3;
    if (map.pages !== pages) return 2;
    return map.mapped ? 1 : 0;
  };
  const order = list.toReversed().toSorted((one, other) => rank(one) - rank(other));
  return scene.choose(order, 'gntdev');
}

function findMap(process: Process, file: OpenFile, index: number): GrantMap | undefined {
  return process.maps.findLast((map) => map.file === file && map.index === index);
}

/** mmap(gntdev) */
export function mmapGntdev(scene: Scene, { step, process }: Call): Seen {
  const index = numberOf(step, 'offset', 0) / PAGE_BYTES;
  const pages = numberOf(step, 'pages');
  const file = fileToMap(scene, process, index, pages);
  const prot = protection(textOf(step, 'prot', 'rw-'));
  const shared = !textOf(step, 'flags', 'SHARED').includes('PRIVATE');
  const vpn = scene.guest.reserve(pages);
  const status = scene.guest.mmap(process.v, vpn, pages, prot, shared, file.fd, index);
  if (status < 0) return resultOf(status);
  const map = findMap(process, file, index);
  if (map !== undefined) map.mapped = true;
  const serial = scene.serial('mapping');
  process.mappings.push({ vpn, pages, map, serial, moved: false, gone: new Set() });
  return resultOf(0);
}

export const gntdevOperations: Readonly<Record<string, Handler>> = {
  'gntdev.MAP_GRANT_REF': mapGrantRef,
  'gntdev.UNMAP_GRANT_REF': unmapGrantRef,
  'gntdev.GET_OFFSET_FOR_VADDR': getOffsetForVaddr,
  'gntdev.SET_UNMAP_NOTIFY': setUnmapNotify,
  'gntdev.SET_MAX_GRANTS': plain(IOCTL_GNTDEV_SET_MAX_GRANTS),
  'gntdev.unknown_ioctl': plain(ioc('G', 99, 0)),
};
