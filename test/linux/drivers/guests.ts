/**
 * Two booted guests for the tests of drivers and designs: one grants pages, the other maps them
 * into a user address space through gntdev. Functions here run alone, before a test explores.
 */
import { physicalActor, upcallActor } from '../../../src/hardware/irq.ts';
import { firstVcpuOf, kernelVcpuOf } from '../../../src/hardware/params.ts';
import { Vcpu } from '../../../src/hardware/vcpu.ts';
import type { Actor, CheckOptions, CheckResult } from '../../../src/explore/check.ts';
import { check } from '../../../src/explore/check.ts';
import { gnttabGrantForeignAccess } from '../../../src/linux/drivers/grant-table.ts';
import { gntdevOpen } from '../../../src/linux/drivers/gntdev/file.ts';
import { gntdevMapGrantRef } from '../../../src/linux/drivers/gntdev/ioctl.ts';
import { kernelThread } from '../../../src/linux/drivers/workqueue.ts';
import { mmCreate, switchMm } from '../../../src/linux/mm/mm-life.ts';
import { mmapRegion } from '../../../src/linux/mm/mmap.ts';
import { allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { pfnOf } from '../../../src/linux/mm/page.ts';
import { VM_OPS_GNTDEV } from '../../../src/linux/mm/vm-ops.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../../src/linux/mm/vma.ts';
import type { Machine } from '../../../src/shared/layout.ts';
import { mem } from '../../../src/shared/memory.ts';
import type { Op } from '../../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import type { Config } from '../../../src/shared/table.ts';
import { defineTable } from '../../../src/shared/table.ts';
import { bootedMachine } from '../mm/machine.ts';

/** The domain that grants, and the one that maps. */
export const GRANTER = 0;
export const MAPPER = 1;

/** vCPUs of the two domains: tasks, and the mapper's kernel thread. */
export const GRANTER_TASK = 0;
export const TASK = 3;
export const OTHER_TASK = 4;
export const KTHREAD = 5;

/** A granted page of the granter. */
export interface Grant {
  readonly page: number;
  readonly ref: number;
}

/** Boots both guests with three vCPUs each; only the mapper's first one takes part in the setup. */
export function bootGuests(sizes: Config = {}): Machine {
  const config = {
    domains: 2,
    vcpusPerDomain: 3,
    vcpus: 6,
    frames: 80,
    pagesPerDomain: 24,
    overrideBuckets: 8,
    arguments: 96,
    ...sizes,
  };
  const machine = bootedMachine(config, [Argument]);
  for (let v = 0; v < 6; v++) {
    writeLocal(Vcpu.online.at(v), v === TASK ? 1 : 0);
  }
  return machine;
}

/** The word now. */
export function now(word: number): number {
  return mem[word] as number;
}

/** Fails the test's setup if a call did. @returns what it returned. */
export function must(status: number): number {
  if (status < 0) throw new Error(`the setup failed with ${status}`);
  return status;
}

/** The granter grants one more page to the mapper. */
export function grantPage(readonly = 0): Grant {
  const page = must(runAlone(allocPage(GRANTER_TASK)));
  return { page, ref: grantAgain(page, readonly) };
}

/** The granter grants a page (again). @returns the ref. */
export function grantAgain(page: number, readonly = 0): number {
  return must(runAlone(gnttabGrantForeignAccess(GRANTER_TASK, MAPPER, pfnOf(page), readonly)));
}

/** A user address space of the mapper, loaded on these vCPUs. */
export function userSpace(...vcpus: number[]): number {
  const mm = must(runAlone(mmCreate(TASK)));
  for (const v of vcpus) runAlone(switchMm(v, mm));
  return mm;
}

/** Memory of the tests for arguments and results of calls. */
const Argument = defineTable('argument[%]', ['arguments'], { value: '[TEST] anything' });

/** A word of the tests' own, from 32 on. */
export function result(i: number): number {
  return Argument.value.at(32 + i);
}

/** Tells gntdev which refs of the granter to map. @returns word of the records. */
export function grantList(refs: readonly number[]): number {
  refs.forEach((ref, i) => {
    writeLocal(Argument.value.at(i * 2), GRANTER);
    writeLocal(Argument.value.at(i * 2 + 1), ref);
  });
  return Argument.value.at(0);
}

/** mmap of a gntdev file. @returns vpn or a negative errno. */
export function* mmapGntdev(
  v: number,
  mm: number,
  file: number,
  index: number,
  vpn: number,
  count: number,
): Op {
  const flags = VM_READ | VM_WRITE | VM_SHARED;
  return yield* mmapRegion(v, mm, vpn, count, flags, VM_OPS_GNTDEV, file, index);
}

/** A mapping of grants in the mapper's user space. */
export interface Mapping {
  readonly mm: number;
  readonly file: number;
  readonly index: number;
  readonly vpn: number;
}

/** Opens gntdev and maps the refs at `vpn`. */
export function mapGrants(mm: number, refs: readonly number[], vpn: number, file = -1): Mapping {
  const fd = file >= 0 ? file : must(runAlone(gntdevOpen(TASK, mm)));
  const index = must(runAlone(gntdevMapGrantRef(TASK, fd, grantList(refs), refs.length)));
  must(runAlone(mmapGntdev(TASK, mm, fd, index, vpn, refs.length)));
  return { mm, file: fd, index, vpn };
}

/** One actor of a test on a vCPU of its own. */
export interface Task {
  readonly name: string;
  readonly v: number;
  readonly body: () => Op<unknown>;
}

/** What else a test may want of a run; assertions of kernel and hypervisor are findings. */
export interface ExploreOptions extends Partial<Omit<CheckOptions, 'actors' | 'machine'>> {
  /** vCPUs whose kernel thread runs as a daemon. */
  readonly threads?: readonly number[];
  /** Other actors without an end. */
  readonly daemons?: readonly Task[];
  readonly onTrace?: (point: number, a: number, b: number, c: number) => void;
  /** Assertions that are expected and no finding. */
  readonly expected?: readonly number[];
}

/** Assertions that failed in the current execution. */
export const failed: string[] = [];

/** Runs tasks under the explorer, with the interrupts of their vCPUs. */
export function explore(
  machine: Machine,
  tasks: readonly Task[],
  options: ExploreOptions = {},
): CheckResult {
  const { threads = [], daemons = [], onTrace, expected = [], setup, invariant, ...rest } = options;
  const actors: Actor[] = tasks.map(({ name, body }) => ({ name, body }));
  for (const v of threads) {
    actors.push({ name: `kthread${v}`, body: () => kernelThread(v), daemon: true });
  }
  for (const { name, body } of daemons) actors.push({ name, body, daemon: true });
  const vcpus = [...tasks.map((task) => task.v), ...threads, ...daemons.map((task) => task.v)];
  for (let v = 0; v < 6; v++) writeLocal(Vcpu.online.at(v), vcpus.includes(v) ? 1 : 0);
  vcpus.forEach((v, actor) => {
    const daemon = true;
    const physical = { actor, word: Vcpu.physical.at(v) };
    const upcall = { actor, word: Vcpu.upcall.at(v) };
    actors.push({ name: `phys${v}`, body: () => physicalActor(v), daemon, interrupts: physical });
    actors.push({ name: `irq${v}`, body: () => upcallActor(v), daemon, interrupts: upcall });
  });
  return check({
    machine,
    actors,
    executions: 300,
    ...rest,
    setup() {
      failed.length = 0;
      setup?.();
    },
    invariant: () => (failed.length > 0 ? `assertion: ${failed.join()}` : (invariant?.() ?? null)),
    observer: {
      access() {},
      trace: (_actor, point, a, b, c) => onTrace?.(point, a, b, c),
      bug(_actor, id, a, b) {
        if (!expected.includes(id)) failed.push(`0x${id.toString(16)}(${a}, ${b})`);
      },
    },
  });
}

/** First and kernel vCPU of a domain, as the kernel computes them. */
export function vcpusOf(d: number): readonly [number, number] {
  return [firstVcpuOf(d), kernelVcpuOf(d)];
}
