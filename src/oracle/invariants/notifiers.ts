/**
 * I13, when the machine is quiet: the list of MMU notifiers of an address space holds subscriptions
 * of that address space, each in use and each once, and no removal or insertion is left over.
 */
import { Mm } from '../../linux/mm/mm.ts';
import { MmPool } from '../../linux/mm/mm-life.ts';
import { MmuInterval, MmuIntervalPool } from '../../linux/mm/mmu-notifier.ts';
import { inUse, peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { NOTIFIER_LIST } from '../violation.ts';

/** Walks the notifiers of every address space. */
export function checkNotifiers(report: Report): void {
  const seen = new Uint8Array(MmuInterval.next.count);
  for (let mm = 0; mm < Mm.notifierHead.count; mm++) {
    if (!inUse(MmPool.value.at(0), mm)) continue;
    for (let sub = peek(Mm.notifierHead.at(mm)); sub >= 0; sub = peek(MmuInterval.next.at(sub))) {
      const known = inUse(MmuIntervalPool.value.at(0), sub) && peek(MmuInterval.mm.at(sub)) === mm;
      if (known && seen[sub] === 0) {
        seen[sub] = 1;
        continue;
      }
      report(-1, NOTIFIER_LIST, MmuInterval.next.at(sub), Mm.notifierHead.at(mm));
      break;
    }
    const deferred = Mm.notifierDeferred.at(mm);
    if (peek(deferred) >= 0) report(-1, NOTIFIER_LIST, deferred, 0);
  }
}
