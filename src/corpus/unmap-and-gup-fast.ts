/**
 * The seed's question: unmap against get_user_pages_fast(). A thread looks a page of a grant
 * mapping up without any lock, while another unmaps the address. The walk takes its reference and
 * looks at the entry again; the unmap clears the entry by hypercall, which waits for no walker.
 *
 * Where entries of grants are special or their frames have no page by number, the fast way fails
 * by itself, whatever happens beside it.
 */
import { firstVcpuOf } from '../hardware/params.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { getUserPagesFastOnly } from '../linux/mm/gup-fast.ts';
import { FOLL_WRITE } from '../linux/mm/gup.ts';
import { doMunmap } from '../linux/mm/munmap.ts';
import { putPage } from '../linux/mm/page.ts';
import type { Op } from '../shared/op.ts';
import { readLocal, writeLocal } from '../shared/operations.ts';
import {
  BACKEND,
  RacePage,
  RaceProcess,
  grantPage,
  mapGrants,
  startProcess,
  useHeldPage,
} from './process.ts';
import type { Race } from './race.ts';

const VPN = 2;

function* arrange(): Op<void> {
  yield* startProcess(2);
  yield* grantPage(0);
  writeLocal(RaceProcess.index.word, yield* mapGrants(firstVcpuOf(BACKEND), 0, 1, VPN));
}

function* lookUp(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const mm = readLocal(RaceProcess.mm.word);
  const pages = RacePage.value.at2(v, 0);
  if ((yield* getUserPagesFastOnly(v, mm, VPN, 1, FOLL_WRITE, pages)) !== 1) return;
  const pg = readLocal(pages);
  yield* useHeldPage(v, pg);
  yield* putPage(v, pg);
}

function* unmapper(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  yield* doMunmap(v, readLocal(RaceProcess.mm.word), VPN, 1);
}

export const unmapAndGupFast: Race = {
  name: 'unmap-and-gup-fast',
  about: 'One thread looks up a page of a grant mapping without locks while another unmaps it.',
  sources: [
    'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
    'Linux, mm/gup.c: gup_fast_pte_range()',
  ],
  designs: EVERY_DESIGN,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'lookup', vcpu: 0, body: lookUp },
    { role: 'unmap', vcpu: 1, body: unmapper },
  ],
  kernelThreads: [],
};
