/**
 * Removing an interval notifier while an invalidation is under way: the remover waited for the
 * sequence number alone, which changes before the deferred removals are made; it freed a
 * subscription that was still on that list.
 *
 * The function is the wait of mmu_interval_notifier_remove() in Linux 5.5 to 5.17
 * (mm/mmu_notifier.c).
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { Mm } from '../../linux/mm/mm.ts';
import {
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuNotifierInvalidateEnd,
  mmuNotifierInvalidateStart,
  waitForRelease,
} from '../../linux/mm/mmu-notifier.ts';
import type { Op } from '../../shared/op.ts';
import { awaitNotEqual, readLocal, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { BACKEND, RaceProcess, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { RaceNotifier } from './tables.ts';

const VPN = 2;
/** A driver whose callback has nothing to let go of: NOTIFIER_GNTDEV is the only other kind. */
const NOTIFIER_OTHER = 0;

/** Linux 5.17: wait_event(READ_ONCE(invalidate_seq) != seq) */
export function* waitForSequence(mm: number, seq: number): Op<void> {
  yield* awaitNotEqual(Mm.invalidateSeq.at(mm), -1, seq);
}

function* arrange(): Op<void> {
  yield* startProcess(1);
  const mm = readLocal(RaceProcess.mm.word);
  const v = firstVcpuOf(BACKEND);
  const sub = yield* mmuIntervalNotifierInsert(v, mm, VPN, 1, NOTIFIER_OTHER, 0);
  writeLocal(RaceNotifier.sub.word, sub);
}

function* invalidate(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const mm = readLocal(RaceProcess.mm.word);
  yield* mmuNotifierInvalidateStart(v, mm, VPN, VPN + 1, 1);
  yield* mmuNotifierInvalidateEnd(v, mm, VPN, VPN + 1);
}

/** One notifier goes, and the next one gets its memory. */
function* exchange(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  const mm = readLocal(RaceProcess.mm.word);
  yield* mmuIntervalNotifierRemove(v, readLocal(RaceNotifier.sub.word));
  yield* mmuIntervalNotifierInsert(v, mm, VPN + 1, 1, NOTIFIER_OTHER, 0);
}

export const notifierRemove: Race = {
  name: 'm8-notifier-remove',
  about: 'An interval notifier is removed while an invalidation of its range ends.',
  sources: [
    'Linux 5.17, mm/mmu_notifier.c: mmu_interval_notifier_remove()',
    'mm/mmu_notifier.c: mn_itree_inv_end(); Fixes: 99cb252f5e68',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'invalidate', vcpu: 0, body: invalidate },
    { role: 'exchange', vcpu: 1, body: exchange },
  ],
  kernelThreads: [],
  bug: {
    id: 'M8',
    title: 'A notifier is freed while it waits on the list of deferred removals',
    story: [
      'An invalidation meets the notifier: the sequence becomes odd.',
      'The notifier is removed: the sequence is odd, so that is deferred, and the remover waits.',
      'The invalidation ends: the sequence becomes even. The deferred list comes next.',
      'The remover has seen the sequence change; it returns, and the notifier is freed.',
      'The end of the invalidation works the list off and unlinks a freed notifier.',
    ],
    breaks: ['I13'],
    fix: 'The remover looks at the sequence under the lock that both changes are made under.',
    fixedIn: 'Linux 5.18, commit 319561669a59',
    before: { design: 'vma-pages', overrides: [replaces(waitForRelease, waitForSequence)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
