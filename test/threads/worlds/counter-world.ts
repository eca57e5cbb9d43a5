/** The counter workload as a world: two askers, a server, and what must hold of them. */
import type { Machine } from '../../../src/shared/layout.ts';
import type { ActorProgram, Report, World, WorldOptions } from '../../../src/threads/world.ts';
import { Counter, Done, NOT_EXCLUSIVE, ask, counterTables } from './counter.ts';
import { handleLine, serveOrders } from './counter.ts';

const SUM_WRONG = 2;
const STAMP_SEEN = 3;
const TORN = 4;
const ORDERS_LOST = 5;
const names = ['nothing', 'exclusion', 'sum', 'stamp', 'torn', 'orders'];

/**
 * Options: `broken` leaves the lock out; `stamps` reports every access to a stamp; `hang` 1 or 2
 * (counter.ts); `throws` makes actor 1 throw.
 */
export function createWorld(options: WorldOptions): World {
  return {
    tables: counterTables,
    config: { vcpusPerDomain: 1 },
    boot(machine: Machine) {
      machine.words[Counter.hang.word] = Number(options['hang'] ?? 0);
    },
    actors: () => [
      { name: 'd0v0', role: 'vcpu', restsAs: 0 },
      { name: 'd1v0', role: 'vcpu', restsAs: 0 },
      { name: 'd1', role: 'domain', restsAs: 1 },
    ],
    lines: (_machine, self) => ({
      physicalWord: Done.line.at(self),
      upcallWord: 0,
      upcallDeliverable: 0,
      physical: () => handleLine(self),
      upcall: () => handleLine(self),
    }),
    program,
    checkStopped() {},
    checkAtRest({ words }: Machine, report: Report) {
      const done = (words[Done.additions.at(0)]! + words[Done.additions.at(1)]!) | 0;
      const { locked, twin, orders, served } = Counter;
      if (words[locked.word] !== words[twin.word]) report(-1, TORN, locked.word, twin.word);
      if (words[locked.word] !== done) report(-1, SUM_WRONG, locked.word, 0);
      if (words[orders.word] !== words[served.word]) report(-1, ORDERS_LOST, orders.word, 0);
    },
    atRest: ({ words }: Machine) => words[Counter.orders.word] === words[Counter.served.word],
    explain: (violation) => ({
      invariant: names[violation] ?? '?',
      what: `${names[violation]} broke`,
      meaning: 'the counter is wrong',
    }),
  };

  function program(_machine: Machine, self: number, report: Report): ActorProgram {
    const broken = options['broken'] === true ? 1 : 0;
    let iterations = 0;
    return {
      iterate() {
        if (options['throws'] === true && self === 1 && iterations++ > 100) {
          throw new RangeError('out of words');
        }
        return self < 2 ? ask(self, broken) : serveOrders();
      },
      observer: {
        access(actor, _kind, word) {
          if (options['stamps'] === true) report(actor, STAMP_SEEN, word, 0);
        },
        trace() {},
        bug(actor, id) {
          if (id === NOT_EXCLUSIVE) report(actor, NOT_EXCLUSIVE, Counter.locked.word, 0);
        },
      },
    };
  }
}
