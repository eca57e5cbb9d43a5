/**
 * Goal: when the notifier returns, no grant of the range is mapped, also if another thread
 * unmaps the same range or waits for a page of it; a grant is unmapped once.
 * Method: two threads that drop the same pages at once, one page in use, under the explorer. An
 * entry that is zapped while a grant is behind it is an assertion of Xen or of the zap.
 */
import { describe, expect, test } from 'vitest';
import { M2P_OVERRIDE, VMA_PAGES } from '../../../../src/linux/designs/design.ts';
import { gntdevUnmapGrantRef } from '../../../../src/linux/drivers/gntdev/ioctl.ts';
import { GrantMap } from '../../../../src/linux/drivers/gntdev/grant-map.ts';
import { madviseDontneed } from '../../../../src/linux/mm/madvise.ts';
import { doMunmap } from '../../../../src/linux/mm/munmap.ts';
import { putPage } from '../../../../src/linux/mm/page.ts';
import { FOLL_WRITE, getUserPages } from '../../../../src/linux/mm/gup.ts';
import type { Op } from '../../../../src/shared/op.ts';
import { cpuRelax, runAlone } from '../../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../../src/xen/grant-table/active.ts';
import type { Task } from '../guests.ts';
import {
  GRANTER,
  KTHREAD,
  OTHER_TASK,
  TASK,
  bootGuests,
  explore,
  grantPage,
  mapGrants,
  must,
  now,
  result,
  userSpace,
} from '../guests.ts';
import { leftOver } from '../pin-watch.ts';

const VPN = 8;

interface Case {
  readonly design: number;
  readonly memory: 'sc' | 'tso';
  readonly bodies: (
    mm: number,
    file: number,
    index: number,
  ) => readonly [Task['body'], Task['body']];
  readonly held?: boolean;
}

function run({ design, memory, bodies, held = false }: Case) {
  const machine = bootGuests({ design });
  const { ref } = grantPage();
  const mm = userSpace(TASK, OTHER_TASK);
  const m = mapGrants(mm, [ref], VPN);
  if (held) must(runAlone(getUserPages(TASK, mm, VPN, 1, FOLL_WRITE, result(0))));
  const page = now(result(0));
  const [first, second] = bodies(mm, m.file, m.index);
  const tasks: Task[] = [
    { name: 'first', v: TASK, body: first },
    { name: 'second', v: OTHER_TASK, body: second },
  ];
  const release = function* (): Op<void> {
    yield* cpuRelax();
    yield* putPage(TASK, page);
  };
  if (held) tasks.push({ name: 'io', v: 2, body: release });
  return explore(machine, tasks, {
    memory,
    threads: [KTHREAD],
    strategy: 'pct',
    executions: 150,
    final: () => {
      const pin = now(ActiveEntry.pin.at2(GRANTER, ref));
      if (now(GrantMap.users.at(0)) > 0 && leftOver(0) > 0) return `left: ${leftOver(0)}`;
      return pin === 0 ? null : `left: pin ${pin.toString(16)}`;
    },
  });
}

const drop = (v: number, mm: number) => () => madviseDontneed(v, mm, VPN, 1);
const unmap = (v: number, mm: number) => () => doMunmap(v, mm, VPN, 1);

const twoDrops = (mm: number) => [drop(TASK, mm), drop(OTHER_TASK, mm)] as const;
const dropAndMunmap = (mm: number) => [drop(TASK, mm), unmap(OTHER_TASK, mm)] as const;
const munmapAndCall = (mm: number, file: number, index: number) =>
  [unmap(TASK, mm), () => gntdevUnmapGrantRef(OTHER_TASK, file, index, 1)] as const;
const memories = ['sc', 'tso'] as const;

describe('gntdev notifier', () => {
  test.each(memories)('of Draft B: two threads drop a page that is in use, %s', (memory) => {
    expect(
      run({ design: VMA_PAGES, memory, bodies: twoDrops, held: true }).finding,
    ).toBeUndefined();
  });

  test.each(memories)('of Draft B: dropping and munmap, %s', (memory) => {
    expect(
      run({ design: VMA_PAGES, memory, bodies: dropAndMunmap, held: true }).finding,
    ).toBeUndefined();
  });

  test.each(memories)('of Draft B: munmap and the unmap call, %s', (memory) => {
    expect(run({ design: VMA_PAGES, memory, bodies: munmapAndCall }).finding).toBeUndefined();
  });

  test.each(memories)('of 3.12: two threads drop the same page, %s', (memory) => {
    expect(run({ design: M2P_OVERRIDE, memory, bodies: twoDrops }).finding).toBeUndefined();
  });
});
