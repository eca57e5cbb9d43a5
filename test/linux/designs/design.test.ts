/**
 * Goal: the designs differ in what the proposal says they differ in: with m2p-override one
 * frame mapped twice is found as the wrong page, and a page in use loses its frame; with vma-pages
 * neither can happen, in the fast path or the slow one. Nothing is scripted to fail.
 * Method: small programs of a user space under the explorer, the same for all designs.
 */
import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../../src/explore/check.ts';
import {
  FIND_NORMAL_PAGE,
  FIND_SPECIAL_PAGE,
  M2P_OVERRIDE,
  VMA_PAGES,
} from '../../../src/linux/designs/design.ts';
import { madviseDontneed } from '../../../src/linux/mm/madvise.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import {
  KTHREAD,
  OTHER_TASK,
  TASK,
  bootGuests,
  explore,
  grantAgain,
  grantPage,
  mapGrants,
  userSpace,
} from '../drivers/guests.ts';
import type { Task } from '../drivers/guests.ts';
import { PinWatch, directIo } from '../drivers/pin-watch.ts';

const VPN = 8;
const OTHER_VPN = 12;

type Memory = 'sc' | 'tso';

interface Program {
  readonly design: number;
  readonly aliased: boolean;
  readonly memory?: Memory;
  readonly other: (mm: number) => Task['body'];
  readonly slow?: boolean;
}

/** A mapping of one page, direct I/O on it, and another task. */
function run(program: Program, executions = 200): CheckResult {
  const machine = bootGuests({ design: program.design });
  const { page, ref } = grantPage();
  const mm = userSpace(TASK, OTHER_TASK);
  const first = mapGrants(mm, [ref], VPN);
  const mapped = [{ map: 0, vpn: VPN }];
  if (program.aliased) {
    mapGrants(mm, [grantAgain(page)], OTHER_VPN, first.file);
    mapped.push({ map: 1, vpn: OTHER_VPN });
  }
  const watch = new PinWatch();
  const tasks = [
    { name: 'io', v: TASK, body: () => directIo(TASK, mm, VPN, program.slow) },
    { name: 'other', v: OTHER_TASK, body: program.other(mm) },
  ];
  return explore(machine, tasks, {
    threads: [KTHREAD],
    memory: program.memory ?? 'sc',
    strategy: 'pct',
    executions,
    setup: () => watch.reset(mapped),
    onTrace: (point, a, b) => watch.onTrace(point, a, b),
    invariant: () => watch.broken(),
  });
}

const sameIo = (mm: number) => () => directIo(OTHER_TASK, mm, VPN);
const io = (mm: number) => () => directIo(OTHER_TASK, mm, OTHER_VPN);
const munmap = (mm: number) => () => doMunmap(OTHER_TASK, mm, VPN, 1);
const dontneed = (mm: number) => () => madviseDontneed(OTHER_TASK, mm, VPN, 1);

describe('one frame mapped twice', () => {
  test('m2p-override finds the page of the other mapping', () => {
    const found = run({ design: M2P_OVERRIDE, aliased: true, other: io });
    expect(found.verdict).toBe('broken');
    expect(`${found.finding?.invariant}: ${found.finding?.message}`).toMatch(/aliased/);
  });

  test.each(['sc', 'tso'] as const)('vma-pages finds the right pages under %s', (memory) => {
    const found = run({ design: VMA_PAGES, aliased: true, other: io, memory });
    expect(found.finding).toBeUndefined();
  });
});

describe('one frame mapped once', () => {
  test('m2p-override finds the right page', () => {
    const found = run({ design: M2P_OVERRIDE, aliased: false, other: sameIo });
    expect(found.finding).toBeUndefined();
  });
});

describe('a page that is unmapped while direct I/O holds it', () => {
  test('m2p-override takes its frame away', () => {
    const found = run({ design: M2P_OVERRIDE, aliased: false, other: munmap });
    expect(found.verdict).toBe('broken');
    expect(`${found.finding?.invariant}: ${found.finding?.message}`).toMatch(/in use/);
  });

  test.each(['sc', 'tso'] as const)('vma-pages waits until it is idle under %s', (memory) => {
    const found = run({ design: VMA_PAGES, aliased: false, other: munmap, memory });
    expect(found.finding).toBeUndefined();
  });

  test.each([
    ['find-special-page', FIND_SPECIAL_PAGE, true],
    ['find-normal-page', FIND_NORMAL_PAGE, true],
  ] as const)(
    '%s finds the right pages where one frame is mapped twice',
    (_name, design, aliased) => {
      expect(run({ design, aliased, other: io }).finding).toBeUndefined();
    },
  );

  test('find-special-page waits in munmap until it is idle', () => {
    const found = run({ design: FIND_SPECIAL_PAGE, aliased: false, other: munmap });
    expect(found.finding).toBeUndefined();
  });

  test('find-special-page hands it out anew under MADV_DONTNEED, after it saw the count', () => {
    const program = { design: FIND_SPECIAL_PAGE, aliased: false, other: dontneed, slow: true };
    const found = run(program, 2000);
    expect(found.verdict).toBe('broken');
    expect(`${found.finding?.invariant}: ${found.finding?.message}`).toMatch(/in use/);
  });

  test('find-normal-page zaps its entry while the grant is still mapped', () => {
    const found = run({ design: FIND_NORMAL_PAGE, aliased: false, other: munmap });
    expect(found.verdict).toBe('broken');
    expect(`${found.finding?.invariant}: ${found.finding?.message}`).toMatch(/assertion/);
  });

  test('vma-pages waits under MADV_DONTNEED, which holds no lock against the slow path', () => {
    const found = run({ design: VMA_PAGES, aliased: false, other: dontneed, slow: true }, 300);
    expect(found.finding).toBeUndefined();
  });
});
