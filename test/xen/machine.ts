/**
 * What the tests of the hypervisor share: a small booted machine, a guest's shortest page tables,
 * records of operations, the granter's side, and a run under the explorer that fails on any
 * assertion of the hypervisor.
 */
import type { Actor } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import type { CheckOptions, CheckResult } from '../../src/explore/check.ts';
import { invalidateActor } from '../../src/hardware/iommu.ts';
import { Device } from '../../src/hardware/iommu.ts';
import { physicalActor } from '../../src/hardware/irq.ts';
import {
  PTE_PRESENT,
  PTE_RW,
  PTE_USER,
  makePte,
  ptEntryWord,
  pteMfn,
} from '../../src/hardware/paging.ts';
import { Tlb } from '../../src/hardware/tlb.ts';
import { firstVcpuOf } from '../../src/hardware/params.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { Vcpu } from '../../src/hardware/vcpu.ts';
import type { Machine } from '../../src/shared/layout.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { SoloEngine } from '../../src/shared/engine.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  cmpxchg,
  finish,
  installEngine,
  readOnce,
  runAlone,
  smpWmb,
  write,
  writeLocal,
} from '../../src/shared/operations.ts';
import { defineTable } from '../../src/shared/table.ts';
import { sharedDefaults, sharedTables } from '../../src/shared/tables.ts';
import { ActiveEntry } from '../../src/xen/grant-table/active.ts';
import { gnttabMapGrantRef } from '../../src/xen/grant-table/map.ts';
import { gnttabUnmapGrantRef } from '../../src/xen/grant-table/unmap.ts';
import {
  PGC_count_mask,
  PGC_state_free,
  PGT_count_mask,
  PageInfo,
} from '../../src/xen/page-info.ts';
import { GrantEntry, entryHeader, headerFlags } from '../../src/xen/grant-table/entry.ts';
import { populatePhysmap } from '../../src/xen/memory.ts';
import { mmuUpdate, mmuextNewBaseptr, mmuextPinTable } from '../../src/xen/mmu.ts';
import { ZONE_DATA, ZONE_PAGE_TABLE } from '../../src/xen/page-alloc.ts';
import {
  COPY_WORDS,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_writing,
  MAP_DOM,
  MAP_FLAGS,
  MAP_HANDLE,
  MAP_HOST_ADDR,
  MAP_REF,
  MAP_STATUS,
  MAP_WORDS,
  UNMAP_DEV_BUS_ADDR,
  UNMAP_HANDLE,
  UNMAP_HOST_ADDR,
  UNMAP_STATUS,
  UNMAP_WORDS,
} from '../../src/xen/public/grant-table.ts';
import { bootXen, xenDefaults, xenTables } from '../../src/xen/tables.ts';

/** Memory of the guests for records of operations. */
export const GuestWord = defineTable('guest.word[%]', ['guestWords'], { value: '[GST] anything' });

const tables = [...sharedTables, ...hardwareTables, ...xenTables, GuestWord];

/** Granting and mapping domain of most tests, and the mapper's vCPUs. */
export const GRANTER = 0;
export const MAPPER = 1;

/** A machine with frames and tables; nothing is mapped yet. */
export interface XenMachine {
  readonly machine: Machine;
  /** Of each domain: mfn of the top table and of its first leaf table (vpns 0 … 7). */
  readonly roots: number[];
  readonly leaves: number[];
}

/**
 * Boots a machine of two domains, each with two-level page tables of one leaf.
 * @param running - vCPUs that take part; the others are offline, so nobody waits for them.
 */
export function bootMachine(
  overrides: Readonly<Record<string, number>> = {},
  running: readonly number[] = [],
): XenMachine {
  const config = {
    ...sharedDefaults,
    ...hardwareDefaults,
    ...xenDefaults,
    guestWords: 512,
    ...overrides,
  };
  const machine = createMachine(tables, config);
  bootHardware(config);
  for (let v = 0; v < config.vcpus; v++) {
    writeLocal(Vcpu.online.at(v), running.includes(v) ? 1 : 0);
  }
  bootXen(config);
  const roots: number[] = [];
  const leaves: number[] = [];
  for (let d = 0; d < config.domains; d++) {
    const v = firstVcpuOf(d);
    const root = runAlone(populatePhysmap(v, d, 0, ZONE_PAGE_TABLE));
    const leaf = runAlone(populatePhysmap(v, d, 1, ZONE_PAGE_TABLE));
    must(runAlone(mmuextPinTable(v, leaf, 1)));
    must(runAlone(mmuextPinTable(v, root, 2)));
    const entry = makePte(leaf, PTE_PRESENT | PTE_RW | PTE_USER);
    must(runAlone(mmuUpdate(v, ptEntryWord(root, 0), entry)));
    for (let w = v; w < v + config.vcpusPerDomain; w++) must(runAlone(mmuextNewBaseptr(w, root)));
    roots.push(root);
    leaves.push(leaf);
  }
  return { machine, roots, leaves };
}

function must(status: number): void {
  if (status !== 0) throw new Error(`boot failed with ${status}`);
}

/** A data frame of a domain. @returns mfn. */
export function dataFrame(d: number, pfn = 8): number {
  return runAlone(populatePhysmap(firstVcpuOf(d), d, pfn, ZONE_DATA));
}

/** The word now. */
export function now(word: number): number {
  return mem[word] as number;
}

/** The word of the leaf entry of a low vpn of a domain. */
export function leafEntry(m: XenMachine, d: number, vpn: number): number {
  return ptEntryWord(m.leaves[d] as number, vpn);
}

/** Introduces a grant entry, as public/grant-table.ts says. */
export function* publish(d: number, ref: number, domid: number, mfn: number, flags = 0): Op<void> {
  yield* write(GrantEntry.frame.at2(d, ref), mfn);
  yield* smpWmb();
  yield* write(GrantEntry.hdr.at2(d, ref), entryHeader(GTF_permit_access | flags, domid));
}

/** Linux's gnttab_end_foreign_access_ref_v1(). @returns 1 if the grant is ended. */
export function* revoke(d: number, ref: number): Op {
  const word = GrantEntry.hdr.at2(d, ref);
  let hdr = yield* readOnce(word);
  for (;;) {
    if ((hdr & (GTF_reading | GTF_writing)) !== 0) return 0;
    const before = yield* cmpxchg(word, hdr, hdr & ~0xffff);
    if (before === hdr) return 1;
    hdr = before;
  }
}

/** Publishes at once. */
export function grant(d: number, ref: number, mfn: number, readonly = false): void {
  runAlone(publish(d, ref, 1 - d, mfn, readonly ? GTF_readonly : 0));
}

/** GTF_* bits of an entry now. */
export function flagsOf(d: number, ref: number): number {
  return headerFlags(now(GrantEntry.hdr.at2(d, ref)));
}

/** Words for the record of the nth map, unmap and copy of a test. */
export function mapOp(n: number): number {
  return GuestWord.value.at(n * MAP_WORDS);
}

export function unmapOp(n: number): number {
  return GuestWord.value.at(256 + n * UNMAP_WORDS);
}

export function copyOp(n: number): number {
  return GuestWord.value.at(400 + n * COPY_WORDS);
}

/** Fills a map record in. @returns its word. */
export function fillMap(
  n: number,
  fields: { hostAddr?: number; flags: number; ref: number; dom?: number },
): number {
  const op = mapOp(n);
  writeLocal(op + MAP_HOST_ADDR, fields.hostAddr ?? 0);
  writeLocal(op + MAP_FLAGS, fields.flags);
  writeLocal(op + MAP_REF, fields.ref);
  writeLocal(op + MAP_DOM, fields.dom ?? GRANTER);
  writeLocal(op + MAP_STATUS, 99);
  writeLocal(op + MAP_HANDLE, -1);
  return op;
}

/** Fills an unmap record in. @returns its word. */
export function fillUnmap(
  n: number,
  fields: { hostAddr?: number; devBusAddr?: number; handle: number },
): number {
  const op = unmapOp(n);
  writeLocal(op + UNMAP_HOST_ADDR, fields.hostAddr ?? 0);
  writeLocal(op + UNMAP_DEV_BUS_ADDR, fields.devBusAddr ?? 0);
  writeLocal(op + UNMAP_HANDLE, fields.handle);
  writeLocal(op + UNMAP_STATUS, 99);
  return op;
}

/** Everything a test may also want to hear of. */
export interface ExploreOptions extends Partial<Omit<CheckOptions, 'actors' | 'machine'>> {
  readonly onTrace?: (point: number, a: number, b: number, c: number) => void;
  readonly onAccess?: (kind: number, word: number, before: number, after: number) => void;
}

/**
 * Runs actors under the explorer with the physical interrupts of their vCPUs; an assertion of the
 * hypervisor that fails is a finding.
 * @param actors - for each: the vCPU it runs on, -1 for none.
 */
export function explore(
  m: XenMachine,
  actors: readonly { name: string; v: number; body: () => Op<unknown> }[],
  options: ExploreOptions = {},
): CheckResult {
  const all: Actor[] = actors.map(({ name, body }) => ({ name, body }));
  actors.forEach(({ v }, actor) => {
    if (v < 0) return;
    all.push({
      name: `irq${v}`,
      body: () => physicalActor(v),
      daemon: true,
      interrupts: { actor, word: Vcpu.physical.at(v) },
    });
  });
  for (let dev = 0; dev < (m.machine.config['devices'] ?? 0); dev++) {
    if (now(Device.online.at(dev)) === 0) continue;
    all.push({ name: `dev${dev}`, body: () => invalidateActor(dev), daemon: true });
  }
  const { onTrace, onAccess, ...rest } = options;
  return check({
    machine: m.machine,
    actors: all,
    executions: 150,
    ...rest,
    observer: {
      access: (_actor, kind, word, before, after) => onAccess?.(kind, word, before, after),
      trace: (_actor, point, a, b, c) => onTrace?.(point, a, b, c),
      bug() {},
    },
  });
}

/** One operation as an engine was asked for it. */
export interface Recorded {
  readonly kind: number;
  readonly word: number;
  readonly a: number;
}

class RecordingEngine extends SoloEngine {
  readonly log: Recorded[] = [];
  override begin(kind: number, word: number, a: number, b: number, c: number): boolean {
    this.log.push({ kind, word, a });
    return super.begin(kind, word, a, b, c);
  }
}

/** Runs a function alone and returns its operations in their order. */
export function recordOps(op: Op<unknown>): Recorded[] {
  const engine = new RecordingEngine();
  const before = installEngine(engine);
  try {
    finish(op);
  } finally {
    installEngine(before);
  }
  return engine.log;
}

/**
 * Does the log have these steps in this order, others in between allowed? A step is a kind and, if
 * it is about memory, a word. It starts at the last occurrence of the first step.
 */
export function inOrder(log: readonly Recorded[], steps: readonly (readonly number[])[]): boolean {
  const matches = (op: Recorded, step: readonly number[]): boolean =>
    op.kind === step[0] && (step[1] === undefined || op.word === step[1]);
  const [first] = steps;
  if (first === undefined) return true;
  let at = log.findLastIndex((op) => matches(op, first));
  if (at < 0) return false;
  for (const step of steps.slice(1)) {
    at = log.findIndex((op, i) => i > at && matches(op, step));
    if (at < 0) return false;
  }
  return true;
}

/** Does an entry of a page table or of a TLB of the domain name this frame? Writable only? */
export function isMapped(m: XenMachine, d: number, mfn: number, writable = false): boolean {
  const need = writable ? PTE_PRESENT | PTE_RW : PTE_PRESENT;
  const names = (pte: number): boolean => (pte & need) === need && pteMfn(pte) === mfn;
  for (let vpn = 0; vpn < 8; vpn++) if (names(now(leafEntry(m, d, vpn)))) return true;
  return isCached(d, mfn, writable);
}

/** Does a TLB of the domain hold a translation to this frame? */
export function isCached(d: number, mfn: number, writable = false): boolean {
  const need = writable ? PTE_PRESENT | PTE_RW : PTE_PRESENT;
  const first = firstVcpuOf(d);
  for (let v = first; v < firstVcpuOf(d + 1); v++) {
    for (let slot = 0; slot < 8; slot++) {
      const pte = now(Tlb.pte.at2(v, slot));
      if (now(Tlb.tag.at2(v, slot)) !== 0 && (pte & need) === need && pteMfn(pte) === mfn)
        return true;
    }
  }
  return false;
}

/** What I2 and I4 say of one granted frame now: a mapping has its status bits, pin and page. */
export function unsound(m: XenMachine, ref: number, mfn: number): string | null {
  if (!isMapped(m, MAPPER, mfn)) return null;
  const flags = flagsOf(GRANTER, ref);
  if ((flags & GTF_reading) === 0) return 'I4: mapped without GTF_reading';
  if (isMapped(m, MAPPER, mfn, true) && (flags & GTF_writing) === 0) {
    return 'I4: mapped writable without GTF_writing';
  }
  if (now(ActiveEntry.pin.at2(GRANTER, ref)) === 0) return 'I4: mapped without a pin';
  if ((now(PageInfo.countInfo.at(mfn)) & PGC_state_free) !== 0) return 'I2: mapped and free';
  return null;
}

/** Reference count of a page. */
export function pageCount(mfn: number): number {
  return now(PageInfo.countInfo.at(mfn)) & PGC_count_mask;
}

/** Type count of a page. */
export function typeCount(mfn: number): number {
  return now(PageInfo.typeInfo.at(mfn)) & PGT_count_mask;
}

/** Maps alone and expects success. @returns the handle. */
export function mapNow(n: number, hostAddr: number, flags: number, ref: number, v = 2): number {
  const op = fillMap(n, { hostAddr, flags, ref });
  runAlone(gnttabMapGrantRef(v, op, 1));
  must(now(op + MAP_STATUS));
  return now(op + MAP_HANDLE);
}

/** Maps alone. @returns the status. */
export function mapStatus(
  fields: { hostAddr?: number; flags: number; ref: number; dom?: number },
  v = 2,
): number {
  const op = fillMap(9, fields);
  runAlone(gnttabMapGrantRef(v, op, 1));
  return now(op + MAP_STATUS);
}

/** Unmaps alone. @returns the status. */
export function unmapStatus(
  fields: { hostAddr?: number; devBusAddr?: number; handle: number },
  v = 2,
): number {
  const op = fillUnmap(9, fields);
  runAlone(gnttabUnmapGrantRef(v, op, 1));
  return now(op + UNMAP_STATUS);
}
