/** What the numbers of the simulated kernel and hypervisor mean, for reports. */
import { KERNEL_ASSERTION, explain, violationSaid } from '../oracle/violation.ts';
import type { Meaning } from '../report/meaning.ts';
import type { Machine } from '../shared/layout.ts';
import { eventText } from './events.ts';
import { lockKind, lockText } from './locks.ts';
import { structureOf } from './structures.ts';
import { countOf, decoderOf } from './words.ts';

/** @param machine - whose words and sizes are spoken of. */
export function kernelMeaning(machine: Machine): Meaning {
  return {
    structure: structureOf,
    lock: lockKind,
    value(word, value) {
      const kind = lockKind(word);
      if (kind !== null) return lockText(kind, value);
      return decoderOf(word)?.(value, machine) ?? null;
    },
    count: countOf,
    event: (point, ...values) => eventText(machine, point, values),
    assertion: (id) => explain(KERNEL_ASSERTION + id).what,
    rule: (_, message) => violationSaid(message)?.meaning ?? null,
  };
}
