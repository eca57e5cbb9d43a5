/**
 * One frame under two pages: m2p_override kept a list of pages for each frame and gave the first
 * one to whoever looked a user page up, so references were taken and dropped on the wrong page.
 *
 * Before is the design of Linux 2.6.38–3.19 (arch/x86/xen/p2m.c: m2p_find_override()).
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal } from '../../shared/operations.ts';
import {
  BACKEND,
  RacePage,
  RaceProcess,
  grantPage,
  grantPageAgain,
  mapGrants,
  pinUserPage,
  startProcess,
} from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

const FIRST = 1;
const SECOND = 3;

function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* startProcess(2);
  const pg = yield* grantPage(0);
  yield* grantPageAgain(1, pg);
  yield* mapGrants(v, 0, 1, FIRST);
  yield* mapGrants(v, 1, 1, SECOND);
}

function* directIo(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  if ((yield* pinUserPage(v, FIRST)) !== 1) return;
  yield* putPage(v, readLocal(RacePage.value.at2(v, 0)));
}

function* unmapSecond(): Op<void> {
  yield* doMunmap(firstVcpuOf(BACKEND) + 1, readLocal(RaceProcess.mm.word), SECOND, 1);
}

export const overrideAliasing: Race = {
  name: 'l1-override-aliasing',
  about: 'One frame is mapped twice; a thread looks one page up, another unmaps the other.',
  sources: [
    'Linux 3.12, arch/x86/xen/p2m.c: m2p_find_override()',
    'Linux 4.0, commit 667a0a06c99d',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'direct I/O', vcpu: 0, body: directIo },
    { role: 'unmap', vcpu: 1, body: unmapSecond },
  ],
  kernelThreads: [],
  bug: {
    id: 'L1',
    title: 'A reverse map from frame to page has one answer where two are needed',
    story: [
      'A process maps two grants of one frame, each over a page of its own.',
      'Both pages hang in the same bucket of the override table, under the same frame.',
      'Direct I/O looks the page at one address up: the frame leads to the page of the other.',
      'The other address is unmapped, though its page is in use for the first.',
      'The right page has no reference and can go at any moment.',
    ],
    breaks: ['I8'],
    fix: 'Special PTEs, and a way from the address to its page instead of from the frame.',
    fixedIn: 'Linux 4.0, commits 667a0a06c99d and 0bb599fd3010',
    before: { design: 'm2p-override', overrides: [] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
