/**
 * Goal: mmap, munmap, mprotect, MADV_DONTNEED, mremap, faults and get_user_pages do what a plain
 * list of pages says, and every page comes back.
 * Method: random sequences of calls by one vCPU (fast-check) against a model: for each vpn its
 * rights and its value. After each call the VMAs, page tables and counts are compared.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REG_VALUE, VcpuReg, reg } from '../../../src/hardware/vcpu.ts';
import { EFAULT, EINVAL, ENOMEM } from '../../../src/linux/errno.ts';
import { getUserPagesFast } from '../../../src/linux/mm/gup-fast.ts';
import { FOLL_PIN, FOLL_WRITE, getUserPages, gupPut } from '../../../src/linux/mm/gup.ts';
import { madviseDontneed } from '../../../src/linux/mm/madvise.ts';
import { Mm, NO_MM } from '../../../src/linux/mm/mm.ts';
import { mmput, switchMm } from '../../../src/linux/mm/mm-life.ts';
import { mprotect } from '../../../src/linux/mm/mprotect.ts';
import { mremap } from '../../../src/linux/mm/mremap.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { Page } from '../../../src/linux/mm/page.ts';
import { userLoad, userStore } from '../../../src/linux/mm/user-access.ts';
import { VM_READ, VM_WRITE } from '../../../src/linux/mm/vma.ts';
import { LinuxParams } from '../../../src/linux/params.ts';
import { readLocal, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import {
  bootedMachine,
  freePages,
  mapAnonymous,
  newTask,
  pageAt,
  settle,
  vmasOf,
} from './machine.ts';

const V = 0;
const KTHREAD = 3;
const PAGES = 32;
/** Words of VcpuReg serve as the array of pages that get_user_pages fills. */
const OUT_REGISTER = 20;

interface Place {
  readonly access: number;
  readonly value: number;
}
type Model = (Place | null)[];

const vpn = fc.integer({ min: 0, max: PAGES - 1 });
const count = fc.integer({ min: 1, max: 6 });
/** Pages before the end of the model that a call may reach. */
const fit = (from: number, n: number) => Math.min(n, PAGES - from);
const call = fc.oneof(
  fc.record({ kind: fc.constant('mmap' as const), vpn, count }),
  fc.record({ kind: fc.constant('munmap' as const), vpn, count }),
  fc.record({ kind: fc.constant('dontneed' as const), vpn, count }),
  fc.record({ kind: fc.constant('store' as const), vpn, count }),
  fc.record({ kind: fc.constant('store' as const), vpn, count }),
  fc.record({ kind: fc.constant('gup' as const), vpn, count }),
  fc.record({ kind: fc.constant('mremap' as const), vpn, count, to: vpn }),
  fc.record({
    kind: fc.constant('mprotect' as const),
    vpn,
    count,
    access: fc.constantFrom(0, VM_READ, VM_READ | VM_WRITE),
  }),
);
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

const range = (from: number, n: number) => Array.from({ length: n }, (_, i) => from + i);

/** What a call does to the model. @returns the status that the kernel must report. */
function predict(model: Model, step: Call, serial: number): number {
  const pages = range(step.vpn, step.count);
  switch (step.kind) {
    case 'mmap':
      for (const p of pages) model[p] = { access: VM_READ | VM_WRITE, value: 0 };
      return step.vpn;
    case 'munmap':
      for (const p of pages) model[p] = null;
      return 0;
    case 'dontneed': {
      for (const p of pages) {
        const place = model[p];
        if (place) model[p] = { ...place, value: 0 };
      }
      return pages.every((p) => model[p]) ? 0 : -ENOMEM;
    }
    case 'store': {
      const place = model[step.vpn];
      if (!place || (place.access & VM_WRITE) === 0) return -EFAULT;
      model[step.vpn] = { ...place, value: serial };
      return 0;
    }
    case 'mprotect': {
      const hole = pages.findIndex((p) => !model[p]);
      for (const p of hole < 0 ? pages : pages.slice(0, hole)) {
        model[p] = { ...(model[p] as Place), access: step.access };
      }
      return hole < 0 ? 0 : -ENOMEM;
    }
    default:
      return 0;
  }
}

function run(mm: number, step: Call, serial: number): number {
  switch (step.kind) {
    case 'mmap':
      mapAnonymous(V, mm, step.vpn, step.count);
      return step.vpn;
    case 'munmap':
      return runAlone(doMunmap(V, mm, step.vpn, step.count));
    case 'dontneed':
      return runAlone(madviseDontneed(V, mm, step.vpn, step.count));
    case 'store':
      return runAlone(userStore(V, mm, step.vpn, 1, serial));
    case 'mprotect':
      return runAlone(mprotect(V, mm, step.vpn, step.count, step.access));
    default:
      return 0;
  }
}

/** mremap succeeds only inside one VMA; the model asks the tree for that. */
function moveBoth(mm: number, model: Model, from: number, n: number, to: number): void {
  const status = runAlone(mremap(V, mm, from, n, to));
  if (!model[from]) {
    expect(status).toBe(-EFAULT);
    return;
  }
  if (Math.abs(from - to) < n) {
    expect(status).toBe(-EINVAL);
    return;
  }
  for (const p of range(to, n)) model[p] = null;
  if (status < 0) {
    expect(status).toBe(-EFAULT);
    return;
  }
  expect(status).toBe(to);
  range(0, n).forEach((i) => {
    model[to + i] = model[from + i] ?? null;
    model[from + i] = null;
  });
}

/** Takes pages for reading, fast or slow, and gives them back. */
function gupBoth(mm: number, model: Model, step: Call, serial: number): void {
  const flags = serial % 3 === 0 ? FOLL_PIN : serial % 3 === 1 ? FOLL_WRITE : 0;
  const needed = flags === FOLL_WRITE ? VM_WRITE : VM_READ;
  const out = VcpuReg.value.at2(V, OUT_REGISTER);
  const gup = serial % 2 === 0 ? getUserPagesFast : getUserPages;
  const n = step.count;
  const got = runAlone(gup(V, mm, step.vpn, n, flags, out));
  const able = range(step.vpn, n).findIndex((p) => ((model[p]?.access ?? 0) & needed) === 0);
  const want = able < 0 ? n : able;
  expect(got).toBe(want === 0 ? -EFAULT : want);
  for (let i = 0; i < got; i++) {
    const pg = readLocal(out + i);
    expect(pg).toBe(pageAt(mm, step.vpn + i));
    expect(readLocal(Page.refcount.at(pg))).toBe(flags === FOLL_PIN ? 1025 : 2);
    runAlone(gupPut(V, pg, flags));
  }
}

function compare(mm: number, model: Model): void {
  const mapped = vmasOf(mm).flatMap((vma) =>
    range(vma.start, vma.end - vma.start).map((p) => [p, vma.flags] as const),
  );
  const expected = model.flatMap((place, p) => (place ? [[p, place.access] as const] : []));
  expect(mapped).toEqual(expected);
  let rss = 0;
  for (let p = 0; p < PAGES; p++) {
    const pg = pageAt(mm, p);
    if (pg < 0) continue;
    rss++;
    expect(model[p]).not.toBeNull();
    expect([readLocal(Page.refcount.at(pg)), readLocal(Page.mapcount.at(pg))]).toEqual([1, 1]);
  }
  expect(readLocal(Mm.rss.at(mm))).toBe(rss);
  for (const [p, access] of expected) {
    if ((access & VM_READ) === 0) {
      expect(runAlone(userLoad(V, mm, p, 1))).toBe(-EFAULT);
    } else {
      expect(runAlone(userLoad(V, mm, p, 1))).toBe(0);
      expect(reg(V, REG_VALUE)).toBe(model[p]?.value);
    }
  }
}

describe.each([
  ['with the cuts of 7.0', 0],
  ['with the cuts of 4.11', 1],
])('an address space %s', (_, splitNewAbove) => {
  test('is what a list of pages says, and gives every page back', () => {
    bootedMachine({
      pagesPerDomain: 64,
      ptFrames: 40,
      frames: 128,
      tablePages: 24,
      ptShift: 3,
      ptLevels: 3,
      kernelBase: 256,
      vmas: 40,
      vmaSlots: 40,
      vmaNodes: 64,
      gatherPages: 3,
      gatherTables: 2,
    });
    writeLocal(LinuxParams.splitNewAbove.word, splitNewAbove);
    fc.assert(
      fc.property(fc.array(call, { maxLength: 12 }), (steps) => {
        const before = freePages(0);
        const mm = newTask(V);
        const model: Model = Array.from({ length: PAGES }, () => null);
        steps.forEach((drawn, i) => {
          const step = { ...drawn, count: fit(drawn.vpn, drawn.count) };
          if (step.kind === 'mremap') {
            moveBoth(mm, model, step.vpn, fit(step.to, step.count), step.to);
          } else if (step.kind === 'gup') gupBoth(mm, model, step, i);
          else expect(run(mm, step, i + 1)).toBe(predict(model, step, i + 1));
          compare(mm, model);
          settle(KTHREAD);
        });
        runAlone(switchMm(V, NO_MM));
        runAlone(mmput(V, mm));
        settle(KTHREAD);
        expect(freePages(0)).toBe(before);
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});
