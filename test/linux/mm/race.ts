/**
 * Races of the memory manager: runs threads of one address space under a strategy, with the
 * interrupt handlers of their vCPUs, and watches what must never happen to a page.
 */
import { physicalActor, upcallActor } from '../../../src/hardware/irq.ts';
import { PtWord, FrameWord } from '../../../src/hardware/paging.ts';
import { ptEntryCount, ptFrameCount } from '../../../src/hardware/params.ts';
import { Tlb } from '../../../src/hardware/tlb.ts';
import { Vcpu } from '../../../src/hardware/vcpu.ts';
import type { Actor, CheckResult } from '../../../src/explore/check.ts';
import { check } from '../../../src/explore/check.ts';
import type { StrategyName } from '../../../src/explore/strategies/index.ts';
import { kernelThread } from '../../../src/linux/drivers/workqueue.ts';
import { Page } from '../../../src/linux/mm/page.ts';
import { TRACE_PAGE_ALLOC, TRACE_PAGE_FREE } from '../../../src/linux/mm/tracepoints.ts';
import { TRACE_GUP, TRACE_GUP_PUT } from '../../../src/linux/tracepoints.ts';
import { LOAD_THROUGH, STORE_THROUGH } from '../../../src/shared/kinds.ts';
import type { Machine } from '../../../src/shared/layout.ts';
import type { Observer } from '../../../src/shared/observer.ts';
import type { Op } from '../../../src/shared/op.ts';
import { readLocal } from '../../../src/shared/operations.ts';
import { M2p } from '../../../src/xen/m2p.ts';
import { pageAt, setOnline } from './machine.ts';

export interface Race {
  readonly machine: Machine;
  /** The threads, by vCPU. */
  readonly threads: Readonly<Record<number, () => Op<unknown>>>;
  /** The vCPU of the domain's kernel thread, if it runs. */
  readonly kernelVcpu?: number;
  readonly final?: () => string | null;
  readonly strategy?: StrategyName;
  readonly memory?: 'sc' | 'tso';
  readonly executions?: number;
  /** Interrupt actors in place of the guest's own upcalls, by vCPU. */
  readonly upcalls?: (v: number) => Op<void>;
}

let complaint: string | null = null;

/** Called by a thread of a race that saw what must not be. */
export function complain(text: string): void {
  complaint ??= text;
}

/** Does a vCPU's TLB translate a page? @returns its pte, or 0. */
export function tlbHolds(v: number, vpn: number): number {
  for (let slot = 0; slot < Tlb.tag.count; slot++) {
    if (readLocal(Tlb.tag.at2(v, slot)) === vpn + 1) return readLocal(Tlb.pte.at2(v, slot));
  }
  return 0;
}

/** The page whose frame a watched word lies in: one domain, which owns every frame used. */
function pageOfWord(word: number): number {
  const field = isTableWord(word) ? PtWord.value : FrameWord.value;
  return readLocal(M2p.value.at(Math.floor((word - field.word) / field.outer)));
}

function isTableWord(word: number): boolean {
  const first = PtWord.value.at2(0, 0);
  return word >= first && word < first + ptFrameCount() * ptEntryCount();
}

/**
 * What must never happen: a page that get_user_pages returned is not the one mapped there, or is
 * freed before it is given back; a page is freed twice; a walk or an access through a translation
 * reaches a free page; an assertion of the kernel fails.
 */
function pageWatch(): Observer & { reset(): void } {
  const held = new Map<number, number>();
  const free = new Set<number>();
  return {
    reset() {
      held.clear();
      free.clear();
      complaint = null;
      for (let pg = 0; pg < Page.refcount.count; pg++) {
        if (readLocal(Page.refcount.at(pg)) === 0) free.add(pg);
      }
    },
    access(_actor, kind, word) {
      const through = kind === LOAD_THROUGH || kind === STORE_THROUGH;
      if (!through && !isTableWord(word)) return;
      const pg = pageOfWord(word);
      if (free.has(pg)) complain(`free page: page ${pg} is accessed (kind ${kind}) while free`);
    },
    trace(_actor, point, a, b, c) {
      if (point === TRACE_PAGE_ALLOC) free.delete(a);
      if (point === TRACE_PAGE_FREE) {
        if (free.has(a)) complain(`free page: page ${a} is freed twice`);
        if ((held.get(a) ?? 0) > 0) complain(`free page: page ${a} is freed while GUP holds it`);
        free.add(a);
      }
      if (point === TRACE_GUP_PUT) held.set(a, (held.get(a) ?? 1) - 1);
      if (point === TRACE_GUP) {
        if (pageAt(c, a) !== b) complain(`wrong page: GUP of ${a} gives ${b}, not ${pageAt(c, a)}`);
        held.set(b, (held.get(b) ?? 0) + 1);
      }
    },
    bug(_actor, id, a, b) {
      complain(`kernel assertion 0x${id.toString(16)}: ${a}, ${b}`);
    },
  };
}

/** Runs a race. @returns the verdict; `broken` with the complaint, a deadlock or a livelock. */
export function race(options: Race): CheckResult {
  const vcpus = Object.keys(options.threads).map(Number);
  const actors: Actor[] = vcpus.map((v) => ({
    name: `thread ${v}`,
    body: options.threads[v] as () => Op<unknown>,
  }));
  const all = [...vcpus];
  if (options.kernelVcpu !== undefined) {
    const v = options.kernelVcpu;
    all.push(v);
    actors.push({ name: 'kthread', daemon: true, body: () => kernelThread(v) });
  }
  const upcalls = options.upcalls ?? upcallActor;
  all.forEach((v, actor) => {
    const upcall = { actor, word: Vcpu.upcall.at(v) };
    const physical = { actor, word: Vcpu.physical.at(v) };
    actors.push({ name: `upcall ${v}`, daemon: true, body: () => upcalls(v), interrupts: upcall });
    actors.push({
      name: `physical ${v}`,
      daemon: true,
      body: () => physicalActor(v),
      interrupts: physical,
    });
  });
  let mask = 0;
  for (const v of all) mask |= 1 << v;
  setOnline(mask);
  const watch = pageWatch();
  const result = check({
    machine: options.machine,
    actors,
    observer: watch,
    setup: () => watch.reset(),
    invariant: () => complaint,
    final: () => complaint ?? options.final?.() ?? null,
    strategy: options.strategy ?? 'pct',
    memory: options.memory ?? 'sc',
    executions: options.executions ?? 1500,
    seed: 3,
  });
  setOnline(0);
  return result;
}

/** Explores every schedule of a few actors without interrupts. */
export function exhaust(machine: Machine, bodies: readonly (() => Op<unknown>)[]): CheckResult {
  complaint = null;
  return check({
    machine,
    actors: bodies.map((body, i) => ({ name: `actor ${i}`, body })),
    setup: () => {
      complaint = null;
    },
    final: () => complaint,
    strategy: 'optimal',
    executions: 20_000,
  });
}
