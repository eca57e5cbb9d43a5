/**
 * The operations that are timed one by one, by name. Each is set up alone and leaves nothing
 * behind, and only what `run` does is timed.
 */
import type { Histogram } from 'hdr-histogram-js';
import { runAlone } from '../src/shared/operations.ts';
import { MOST_BATCH } from './machine.ts';
import type { Shape } from './machine.ts';
import { serveDeferred } from './loops/change.ts';
import { askHolder, leaveHolder } from './loops/hold.ts';
import {
  mapAnonymous,
  mapGrants,
  putPages,
  takePages,
  unmapGrants,
  unmapPages,
} from './loops/operate.ts';
import { addressesOf, grantPages } from './turns.ts';

export const OPERATIONS = ['map', 'unmap', 'deferred-unmap', 'vma-split', 'gup-fast'] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** Percentiles of how long an operation took, in nanoseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** @param histogram - of nanoseconds. */
export function latencyOf(histogram: Histogram): Latency {
  const max = histogram.maxValue;
  // The histogram gives the end of a bucket, which may lie behind the longest of all.
  const at = (percentile: number): number => {
    return Math.min(max, histogram.getValueAtPercentile(percentile));
  };
  return { p50: at(50), p99: at(99), p999: at(99.9), max };
}

/** One operation: what comes before and after it is not timed. */
export interface Operation {
  readonly before: () => void;
  /** @returns negative if the kernel refused it. */
  readonly run: () => number;
  readonly after: () => void;
}

/** Pages of a VMA that is split. */
const SPLIT_PAGES = 16;

function must(status: number): number {
  if (status < 0) throw new RangeError(`the kernel refused what prepares an operation: ${status}`);
  return status;
}

/** Makes the operations of a vCPU. Alone: before anybody runs. */
export class Operations {
  private readonly v: number;
  private readonly own: number;
  private readonly fd: number;
  private index = 0;
  private taken = 0;

  constructor(shape: Shape, v: number) {
    this.v = v;
    this.own = addressesOf(shape, v);
    this.fd = grantPages(v, MOST_BATCH);
  }

  /** @param size - pages. */
  make(name: OperationName, size: number): Operation {
    const { v, own, fd } = this;
    const map = (): void => {
      this.index = must(runAlone(mapGrants(v, own, fd, size)));
    };
    const unmap = (): number => runAlone(unmapGrants(v, own, fd, size, this.index));
    const settle = (): void => {
      runAlone(serveDeferred(v));
    };
    switch (name) {
      case 'map':
        return {
          before: settle,
          run: () => (this.index = runAlone(mapGrants(v, own, fd, size))),
          after: () => must(unmap()),
        };
      case 'unmap':
        return { before: map, run: unmap, after: settle };
      case 'deferred-unmap':
        return {
          before: () => {
            map();
            runAlone(askHolder());
          },
          run: unmap,
          after: () => {
            if (runAlone(leaveHolder()) !== 0) throw new Error('an unmap was not deferred');
            settle();
          },
        };
      case 'vma-split':
        return {
          before: () => must(runAlone(mapAnonymous(v, own, SPLIT_PAGES))),
          run: () => runAlone(unmapPages(v, own + SPLIT_PAGES / 2, 1)),
          after: () => {
            must(runAlone(unmapPages(v, own, SPLIT_PAGES)));
            settle();
          },
        };
      case 'gup-fast':
        return {
          before: () => undefined,
          run: () => (this.taken = Math.max(0, runAlone(takePages(v, own, size)))),
          after: () => {
            runAlone(putPages(v, this.taken));
          },
        };
    }
  }
}
