/**
 * fork beside get_user_pages_fast(). A page that is pinned must stay the parent's, so fork looks at
 * the count before it shares it. Since 5.9 it did (70e806e4e645), but the pin is taken without a
 * lock: between that look and the write-protecting of the entry it was missed.
 *
 * The function is that of Linux 5.10 (mm/memory.c: copy_page_range()).
 */
import { cpuStore } from '../../hardware/access.ts';
import { firstVcpuOf, kernelBase } from '../../hardware/params.ts';
import { BUG_PAYLOAD } from '../../hardware/bugs.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import { copyEntries, copyPageRange, vmaNeedsCopy } from '../../linux/mm/copy-page-range.ts';
import { flushTlbMm } from '../../linux/mm/flush.ts';
import { getUserPagesFast, getUserPagesFastOnly } from '../../linux/mm/gup-fast.ts';
import { FOLL_PIN, FOLL_WRITE, gupPut } from '../../linux/mm/gup.ts';
import { mmAlloc } from '../../linux/mm/mm-life.ts';
import { mmapRegion } from '../../linux/mm/mmap.ts';
import {
  mmuNotifierInvalidateEnd,
  mmuNotifierInvalidateStart,
} from '../../linux/mm/mmu-notifier.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import { pteAlloc } from '../../linux/mm/pgtable.ts';
import { userLoad, userStore } from '../../linux/mm/user-access.ts';
import { VM_OPS_ANONYMOUS } from '../../linux/mm/vm-ops.ts';
import { VM_READ, VM_WRITE, Vma, isCowMapping } from '../../linux/mm/vma.ts';
import { vmaLookup } from '../../linux/mm/vma-tree.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { BACKEND, RacePage, RaceProcess, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { RaceFork } from './tables.ts';

/** The page that is read into. */
const VPN = 2;
/** What the device brings, and what was there before. */
const DATA = 7;
const STALE = 1;

const FLAGS = FOLL_PIN | FOLL_WRITE;

/** Linux 5.10: nobody who pins a page without a lock can tell that a fork is under way. */
export function* copyPageRangeUnannounced(v: number, mm: number, vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((yield* vmaNeedsCopy(vma, flags)) === 0) return 0;
  if (!isCowMapping(flags)) return yield* copyEntries(v, mm, vma);
  const parent = yield* read(Vma.mm.at(vma));
  const start = yield* read(Vma.vmStart.at(vma));
  const end = yield* read(Vma.vmEnd.at(vma));
  yield* mmuNotifierInvalidateStart(v, parent, start, end, 1);
  const status = yield* copyEntries(v, mm, vma);
  yield* mmuNotifierInvalidateEnd(v, parent, start, end);
  return status;
}

function* arrange(): Op<void> {
  yield* startProcess(2);
  const v = firstVcpuOf(BACKEND);
  const mm = readLocal(RaceProcess.mm.word);
  yield* mmapRegion(v, mm, VPN, 1, VM_READ | VM_WRITE, VM_OPS_ANONYMOUS, -1, VPN);
  yield* userStore(v, mm, VPN, 0, STALE);
  const out = RacePage.value.at2(v, 0);
  yield* getUserPagesFast(v, mm, VPN, 1, FLAGS, out);
  yield* gupPut(v, readLocal(out), FLAGS);
  const child = yield* mmAlloc(v);
  yield* pteAlloc(v, child, VPN);
  writeLocal(RaceFork.mm.word, child);
  writeLocal(RaceFork.vma.word, yield* vmaLookup(mm, VPN));
}

/** Direct I/O: pins the page, the data arrive in it, and the program looks at them. */
function* readInto(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const mm = readLocal(RaceProcess.mm.word);
  const out = RacePage.value.at2(v, 0);
  if ((yield* getUserPagesFastOnly(v, mm, VPN, 1, FLAGS, out)) !== 1) return;
  const pg = readLocal(out);
  yield* cpuStore(v, kernelBase() + pfnOf(pg), 0, DATA);
  yield* gupPut(v, pg, FLAGS);
  yield* userLoad(v, mm, VPN, 0);
  warnOn(reg(v, REG_VALUE) !== DATA, BUG_PAYLOAD, VPN, reg(v, REG_VALUE));
}

/**
 * Another thread of the program forks, and stores elsewhere in the page. Of dup_mmap() what touches
 * the page: its locks keep no look-up away that takes none.
 */
function* fork(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  const mm = readLocal(RaceProcess.mm.word);
  yield* copyPageRange(v, readLocal(RaceFork.mm.word), readLocal(RaceFork.vma.word));
  yield* flushTlbMm(v, mm);
  yield* userStore(v, mm, VPN, 1, STALE);
}

export const forkAndGupFast: Race = {
  name: 'm6-fork-and-gup-fast',
  about: 'A thread forks while another reads from disk into a page of theirs.',
  sources: [
    'Linux 5.10, mm/memory.c: copy_page_range()',
    '57efa1fe5957 (mm/gup: prevent gup_fast from racing with COW during fork)',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'fork', vcpu: 1, body: fork },
    { role: 'direct I/O', vcpu: 0, body: readInto },
  ],
  kernelThreads: [],
  bug: {
    id: 'M6',
    title: 'A pin without a lock is taken while fork shares the page',
    story: [
      'fork looks at the count of a page: nobody has it pinned, so the child may share it.',
      'Another thread walks the page tables, takes a pin, and sees the entry unchanged.',
      'fork makes the entry read-only, in parent and child.',
      'The parent stores to the page and gets a copy: its address names another page now.',
      'The data that the pin was taken for arrive in the old page, which only the child sees.',
    ],
    breaks: ['I5'],
    fix: 'fork makes a sequence odd while it protects pages; a pin that meets it is given back.',
    fixedIn: 'Linux 5.11',
    before: {
      design: 'vma-pages',
      overrides: [replaces(copyPageRange, copyPageRangeUnannounced)],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
