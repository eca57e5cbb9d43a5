/**
 * Goal: each way from an address to its page gives the page of a moment, whatever a writer does
 * meanwhile, leaves nothing locked, and gives way to mmap_lock after a bounded number of tries.
 * Method: a reader by each way beside a writer that splits the VMA, or unmaps it and uses VMA,
 * array and tree node again for an overlapping range, under PCT with SC and TSO; a section or lock
 * that is not left deadlocks the writer. Neither model reorders loads with loads, so the read
 * barrier is held against a record of the operations.
 */
import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../../src/explore/check.ts';
import { check } from '../../../src/explore/check.ts';
import {
  vmaPageLocked,
  vmaPagePerVmaLock,
  vmaPageSpeculative,
  vmaPageUnderRcu,
} from '../../../src/linux/designs/page-behind-address.ts';
import { PageSlot, pageArrayAlloc, vmaPagesClose } from '../../../src/linux/designs/vma-pages.ts';
import { runDeferred } from '../../../src/linux/drivers/workqueue.ts';
import { Mm, mmapWriteLock, mmapWriteUnlock } from '../../../src/linux/mm/mm.ts';
import { NO_PAGE } from '../../../src/linux/mm/page.ts';
import { TRACE_LOOKUP_RETRY } from '../../../src/linux/mm/tracepoints.ts';
import { NO_VMA, Vma, vmAreaAlloc, vmAreaFree } from '../../../src/linux/mm/vma.ts';
import { vmaMarkAttached, vmaMarkDetached, vmaStartWrite } from '../../../src/linux/mm/vma-lock.ts';
import { splitVma } from '../../../src/linux/mm/vma-split.ts';
import {
  VmaNode,
  VmaSlot,
  vmaLookup,
  vmaNodeAlloc,
  vmaTreeStore,
} from '../../../src/linux/mm/vma-tree.ts';
import type { Machine } from '../../../src/shared/layout.ts';
import type { Op } from '../../../src/shared/op.ts';
import { read, runAlone, storeRelease, write } from '../../../src/shared/operations.ts';
import { operationsOf } from '../../shared/arena.ts';
import { bootedMachine, joinTask, newTask, settle } from '../mm/machine.ts';

const READER = 0;
const WRITER = 1;
const KTHREAD = 3;
/** The reader's VMA: two pages, 100 and 101. */
const START = 16;
const TRIES = 8;

const ways: Record<string, (mm: number, vpn: number) => Op> = {
  'under mmap_lock': (mm, vpn) => vmaPageLocked(mm, vpn),
  speculatively: (mm, vpn) => vmaPageSpeculative(READER, mm, vpn),
  'under the per-VMA lock': (mm, vpn) => vmaPagePerVmaLock(READER, mm, vpn),
  'under RCU': (mm, vpn) => vmaPageUnderRcu(READER, mm, vpn),
};

/** mmap of a driver with a page array: pages `first`, `first` + 1, … */
function* map(mm: number, start: number, count: number, first: number): Op<void> {
  yield* mmapWriteLock(mm);
  const vma = yield* vmAreaAlloc(mm);
  yield* write(Vma.vmStart.at(vma), start);
  yield* write(Vma.vmEnd.at(vma), start + count);
  const slots = PageSlot.value.at2(yield* pageArrayAlloc(start, count), 0);
  for (let i = 0; i < count; i++) yield* write(slots + i, first + i);
  yield* write(Vma.pages.at(vma), slots);
  yield* vmaMarkAttached(vma);
  yield* vmaTreeStore(WRITER, mm, yield* vmaNodeAlloc(), start, start + count, vma);
  yield* mmapWriteUnlock(mm);
}

/** munmap of the whole VMA, as far as lookups see it. */
function* unmap(mm: number, vma: number): Op<void> {
  yield* mmapWriteLock(mm);
  const start = yield* read(Vma.vmStart.at(vma));
  const end = yield* read(Vma.vmEnd.at(vma));
  yield* vmaStartWrite(vma);
  yield* vmaMarkDetached(vma);
  yield* vmaTreeStore(WRITER, mm, yield* vmaNodeAlloc(), start, end, NO_VMA);
  yield* vmaPagesClose(vma);
  yield* vmAreaFree(vma);
  yield* mmapWriteUnlock(mm);
}

function scene(vmaNodes = 3) {
  const machine = bootedMachine({ vmaNodes, pageArrays: 1, mapPages: 4 });
  const mm = newTask(READER);
  joinTask(WRITER, mm);
  runAlone(map(mm, START, 2, 100));
  settle(KTHREAD);
  const vma = runAlone(vmaLookup(mm, START));
  return { machine, mm, vma };
}

interface Program {
  readonly machine: Machine;
  readonly reader: () => Op<unknown>;
  readonly writer: () => Op<unknown>;
  readonly memory: 'sc' | 'tso';
}

let complaint: string | null = null;
let retries = 0;

function complain(text: string): void {
  complaint ??= text;
}

function explore({ machine, reader, writer, memory }: Program): CheckResult {
  return check({
    machine,
    actors: [
      { name: 'reader', body: reader },
      { name: 'writer', body: writer },
    ],
    setup() {
      complaint = null;
    },
    invariant: () => complaint,
    final: () => complaint,
    observer: {
      access() {},
      trace() {},
      bug(_actor, id, a, b) {
        complain(`kernel assertion 0x${id.toString(16)}: ${a}, ${b}`);
      },
    },
    strategy: 'pct',
    memory,
    executions: 400,
    seed: 3,
  });
}

/** Looks an address up; the page must be one of these. */
function* finds(found: Op, pages: readonly number[]): Op<void> {
  const page = yield* found;
  if (!pages.includes(page)) complain(`page: ${page} where ${pages.join(' or ')} may be`);
}

const memories = ['sc', 'tso'] as const;
const cases = Object.keys(ways).flatMap((name) => memories.map((memory) => ({ name, memory })));

describe.each(cases)('a page that is looked up $name under $memory', ({ name, memory }) => {
  const way = ways[name] as (mm: number, vpn: number) => Op;

  test.each([0, 1])('stays found while its VMA is split, page %i', (page) => {
    for (const newBelow of [0, 1]) {
      const { machine, mm, vma } = scene();
      const writer = function* (): Op<void> {
        yield* mmapWriteLock(mm);
        yield* splitVma(WRITER, mm, vma, START + 1, newBelow);
        yield* mmapWriteUnlock(mm);
      };
      const reader = (): Op<void> => finds(way(mm, START + page), [100 + page]);
      expect(explore({ machine, reader, writer, memory }).finding?.message).toBeUndefined();
    }
  });

  test('is the old one, none or the new one while all is used again for another range', () => {
    const { machine, mm, vma } = scene();
    const writer = function* (): Op<void> {
      yield* unmap(mm, vma);
      yield* runDeferred(KTHREAD);
      yield* map(mm, START - 1, 2, 200);
      yield* runDeferred(KTHREAD);
    };
    const reader = (): Op<void> => finds(way(mm, START), [100, NO_PAGE, 201]);
    expect(explore({ machine, reader, writer, memory }).finding?.message).toBeUndefined();
  });
});

describe('a lookup under RCU', () => {
  test('gives way to mmap_lock where the tree is published over and over', () => {
    const NODES = 8;
    const { machine, mm } = scene(NODES + 2);
    const nodes = Array.from({ length: NODES }, () => runAlone(vmaNodeAlloc()));
    const vma = runAlone(vmaLookup(mm, START));
    for (const node of nodes) {
      runAlone(write(VmaSlot.start.at2(node, 0), START));
      runAlone(write(VmaSlot.end.at2(node, 0), START + 2));
      runAlone(write(VmaSlot.vma.at2(node, 0), vma));
      runAlone(write(VmaNode.count.at(node), 1));
    }
    const publisher = function* (): Op<void> {
      for (;;) for (const node of nodes) yield* storeRelease(Mm.vmaNode.at(mm), node);
    };
    let most = 0;
    const result = check({
      machine,
      actors: [
        { name: 'reader', body: () => finds(vmaPageUnderRcu(READER, mm, START), [100]) },
        { name: 'publisher', body: publisher, daemon: true },
      ],
      setup() {
        complaint = null;
        retries = 0;
      },
      invariant: () => complaint,
      final: () => complaint,
      observer: {
        access() {},
        trace(_actor, point) {
          if (point === TRACE_LOOKUP_RETRY) most = Math.max(most, ++retries);
        },
        bug() {},
      },
      strategy: 'random',
      executions: 40,
      seed: 3,
    });
    expect(result.finding?.message).toBeUndefined();
    expect(most).toBe(TRIES);
  });

  test('looks at the node again behind a read barrier, inside the read section', () => {
    const { mm } = scene();
    const operations = operationsOf(vmaPageUnderRcu(READER, mm, START));
    expect(operations.slice(-3)).toEqual(['smp_rmb', 'read_once', 'fetch_add']);
  });

  test('begins with the node, acquired', () => {
    const { mm } = scene();
    const operations = operationsOf(vmaPageUnderRcu(READER, mm, START));
    expect(operations.slice(0, 2)).toEqual(['fetch_add', 'load_acquire']);
  });
});
