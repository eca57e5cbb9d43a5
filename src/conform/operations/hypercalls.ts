/** Hypercalls that a test program makes itself, through privcmd. */
import { mem } from '../../shared/memory.ts';
import { writeLocal } from '../../shared/operations.ts';
import { gnttabMapGrantRef } from '../../xen/grant-table/map.ts';
import { gnttabQuerySize, gnttabSetupTable } from '../../xen/grant-table/setup.ts';
import { gnttabUnmapGrantRef } from '../../xen/grant-table/unmap.ts';
import { gnttabGetVersion } from '../../xen/grant-table/version.ts';
import * as abi from '../../xen/public/grant-table.ts';
import { DOMID_SELF } from '../../xen/public/xen.ts';
import type { Seen } from '../compare.ts';
import { resultOf } from '../guest.ts';
import { Argument, TEST_DOMAIN } from '../machine.ts';
import type { Scene } from '../scene.ts';
import type { Handle } from '../world.ts';
import { Unsupported } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { numberOf, textOf } from './arguments.ts';

/** A ref that no table has, and a handle that Xen never gave. */
const BEYOND_TABLE = 100_000;
const NO_HANDLE = -1;

/** A word of the argument of a hypercall. */
function word(i: number): number {
  return Argument.value.at(i);
}

function set(at: number, values: readonly number[]): void {
  values.forEach((value, i) => writeLocal(word(at + i), value));
}

function get(i: number): number {
  return mem[word(i)] as number;
}

interface MapWanted {
  readonly ref: number;
  readonly dom: number;
  readonly flags: number;
}

/** GNTTABOP_map_grant_ref. @returns the status of each operation. */
function map(scene: Scene, v: number, wanted: readonly MapWanted[]): number[] {
  wanted.forEach(({ ref, dom, flags }, i) => {
    const fields: number[] = [];
    fields[abi.MAP_HOST_ADDR] = 0;
    fields[abi.MAP_FLAGS] = flags | 0;
    fields[abi.MAP_REF] = ref | 0;
    fields[abi.MAP_DOM] = dom & 0xffff;
    set(i * abi.MAP_WORDS, fields);
  });
  scene.guest.call(gnttabMapGrantRef(v, word(0), wanted.length));
  return wanted.map((_, i) => {
    const at = i * abi.MAP_WORDS;
    const status = get(at + abi.MAP_STATUS);
    if (status !== 0) return status;
    const devBusAddr = get(at + abi.MAP_DEV_BUS_ADDR);
    scene.handles.push({ handle: get(at + abi.MAP_HANDLE), devBusAddr, live: true });
    return status;
  });
}

interface UnmapWanted {
  readonly handle: number;
  readonly devBusAddr: number;
}

/** GNTTABOP_unmap_grant_ref. @returns the status of each operation. */
function unmap(scene: Scene, v: number, wanted: readonly UnmapWanted[]): number[] {
  wanted.forEach(({ handle, devBusAddr }, i) => {
    const fields: number[] = [];
    fields[abi.UNMAP_HOST_ADDR] = 0;
    fields[abi.UNMAP_DEV_BUS_ADDR] = devBusAddr;
    fields[abi.UNMAP_HANDLE] = handle;
    set(i * abi.UNMAP_WORDS, fields);
  });
  scene.guest.call(gnttabUnmapGrantRef(v, word(0), wanted.length));
  return wanted.map((_, i) => get(i * abi.UNMAP_WORDS + abi.UNMAP_STATUS));
}

/** "x3" after the operation's name. */
function batchSize(rest: string): number {
  return Number(/^x(\d+)$/.exec(rest)?.[1] ?? 1);
}

/** "good, bad, good" → whether each is good. */
function goodOnes(words: string, count: number): boolean[] {
  const list = words.split(',').map((one) => !one.includes('bad'));
  if (list.length !== count) throw new Unsupported(`a batch of ${count} called "${words}"`);
  return list;
}

function mapBatch(scene: Scene, { step, process }: Call, count: number): Seen {
  const names = [...scene.refs.keys()];
  const wanted = goodOnes(textOf(step, 'what'), count).map((good) => {
    const name = good ? names.shift() : undefined;
    const ref = name === undefined ? BEYOND_TABLE : scene.ref(name);
    return { ref, dom: scene.granterDomid, flags: abi.GNTMAP_device_map };
  });
  return { result: 0, errno: null, observed: { GNTST: map(scene, process.v, wanted) } };
}

function mapGrantRef(scene: Scene, call: Call): Seen {
  const { step, process, operation } = call;
  const count = batchSize(operation.rest);
  if (count > 1) return mapBatch(scene, call, count);
  const ref = scene.ref(textOf(step, 'ref'));
  const flags = numberOf(step, 'flags');
  if ((flags & abi.GNTMAP_host_map) !== 0) throw new Unsupported('a host mapping by privcmd');
  const [status] = map(scene, process.v, [{ ref, dom: numberOf(step, 'dom'), flags }]);
  return { result: 0, errno: null, observed: { GNTST: status, gotHandle: status === 0 } };
}

/** The handle that words mean: the same as before, a number, else the oldest that is live. */
function handleMeant(scene: Scene, words: string): Handle {
  const literal = /^handle (0x[0-9a-f]+|\d+)$/i.exec(words)?.[1];
  if (literal !== undefined) return { handle: Number(literal) | 0, devBusAddr: 0, live: false };
  const live = scene.handles.filter((one) => one.live);
  const last = scene.lastHandle;
  if (/\b(same|again)\b/.test(words) && last !== undefined) return last;
  return scene.choose(live, 'a handle');
}

/** The bus address that words mean: none, a wrong one, else the right one. */
function busAddressMeant(handle: Handle, words: string): number {
  if (/dev_bus_addr 0\b/.test(words)) return 0;
  return /\bwrong\b/.test(words) ? handle.devBusAddr + 1 : handle.devBusAddr;
}

function unmapBatch(scene: Scene, { step, process }: Call, count: number): Seen {
  const live = scene.handles.filter((one) => one.live);
  const wanted = goodOnes(textOf(step, 'what'), count).map((good) =>
    good ? live.shift() : undefined,
  );
  const status = unmap(
    scene,
    process.v,
    wanted.map((one) => one ?? { handle: NO_HANDLE, devBusAddr: 0 }),
  );
  wanted.forEach((one, i) => {
    if (one !== undefined && status[i] === 0) one.live = false;
  });
  return { result: 0, errno: null, observed: { GNTST: status } };
}

function unmapGrantRef(scene: Scene, call: Call): Seen {
  const { step, process, operation } = call;
  const count = batchSize(operation.rest);
  if (count > 1) return unmapBatch(scene, call, count);
  const words = textOf(step, 'what', '');
  const handle = handleMeant(scene, words);
  const devBusAddr = busAddressMeant(handle, words);
  const [status] = unmap(scene, process.v, [{ handle: handle.handle, devBusAddr }]);
  if (status === 0 && devBusAddr !== 0) handle.live = false;
  scene.lastHandle = handle;
  return { result: 0, errno: null, observed: { GNTST: status } };
}

/**
 * A grant table only grows. How large earlier cases of the same boot had made it is no part of a
 * recording, so it is made as large as it was, before the question.
 */
function growAsBefore(scene: Scene, v: number, frames: unknown): void {
  if (typeof frames !== 'number') return;
  set(0, [DOMID_SELF, frames, 0, word(16)]);
  if (scene.choose([false, true], 'the size of the grant table')) {
    scene.guest.call(gnttabSetupTable(v, word(0)));
  }
}

function querySize(scene: Scene, { step, process }: Call): Seen {
  growAsBefore(scene, process.v, step.observed?.['frames']);
  set(0, [DOMID_SELF]);
  scene.guest.call(gnttabQuerySize(process.v, word(0)));
  const frames = get(abi.QUERY_NR_FRAMES);
  const maxFrames = get(abi.QUERY_MAX_NR_FRAMES);
  return { result: 0, errno: null, observed: { frames, maxFrames, GNTST: get(abi.QUERY_STATUS) } };
}

function getVersion(scene: Scene, { process }: Call): Seen {
  set(0, [TEST_DOMAIN]);
  const status = scene.guest.call(gnttabGetVersion(process.v, word(0)));
  return resultOf(status, { version: get(abi.GET_VERSION_VERSION), GNTST: 0 });
}

export const hypercallOperations: Readonly<Record<string, Handler>> = {
  'xen.GNTTABOP_map_grant_ref': mapGrantRef,
  'xen.GNTTABOP_unmap_grant_ref': unmapGrantRef,
  'xen.GNTTABOP_query_size': querySize,
  'xen.GNTTABOP_get_version': getVersion,
};
