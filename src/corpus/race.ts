/**
 * A race: a question that decides between designs, or a bug of the past. What it needs beyond a
 * booted machine, who runs, and where it is told of. It says nothing of how it ends: the general
 * invariants judge it.
 */
import type { Op } from '../shared/op.ts';
import type { Override } from '../shared/override.ts';
import type { Config } from '../shared/table.ts';

/** One side of a race. */
export interface RaceActor {
  /** What it does, in a word or two. */
  readonly role: string;
  /** The vCPU it runs on; for hardware, one of the domain that it works for. */
  readonly vcpu: number;
  /** Hardware beside the vCPUs: a device that does DMA, or the CPUs' cache. */
  readonly hardware?: 'device' | 'cache';
  readonly body: () => Op<void>;
}

/** On which design, and with which functions of the past, a race of history runs. */
export interface Variant {
  readonly design: string;
  readonly overrides: readonly Override[];
}

/** A bug that was there once. */
export interface PastBug {
  /** Its number in the catalogue: X for the hypervisor, L for Linux' drivers, M for its mm. */
  readonly id: string;
  readonly title: string;
  /** Who did what in which order, step by step. */
  readonly story: readonly string[];
  /** What broke, as invariants of docs/invariants.md. */
  readonly breaks: readonly string[];
  /** What the fix does, and where it landed. */
  readonly fix: string;
  readonly fixedIn: string;
  readonly before: Variant;
  readonly after: Variant;
}

/** The columns of a race of the past. */
export const BEFORE_AND_AFTER: readonly string[] = ['before', 'after'];

export interface Race {
  /** Name on the command line. */
  readonly name: string;
  readonly about: string;
  /** Where it is told of. */
  readonly sources: readonly string[];
  /** Designs that it can be asked of; `BEFORE_AND_AFTER` if it is one of the past. */
  readonly designs: readonly string[];
  readonly bug?: PastBug;
  /** It maps pages for devices; without that, a design that differs in its DMA API is no other. */
  readonly dma?: true;
  /** Sizes other than the tiny machine's. */
  readonly sizes: Config;
  /** Brings the booted machine to where the race begins; runs alone. */
  arrange(): Op<void>;
  readonly actors: readonly RaceActor[];
  /** Domains whose kernel thread takes part: deferred unmaps, deferred grants, RCU callbacks. */
  readonly kernelThreads: readonly number[];
}

/** What runs when a race is asked of a design, or of the time before or after a fix. */
export function variantOf({ bug }: Race, design: string): Variant {
  if (bug === undefined) return { design, overrides: [] };
  return design === 'before' ? bug.before : bug.after;
}
