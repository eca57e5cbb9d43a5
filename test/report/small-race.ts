/** A race of two actors that fits on a screen, written down by hand. */
import { INSERTS, LOCAL, READS, WRITES } from '../../src/explore/model.ts';
import type { NarratedStep, Narration } from '../../src/report/narrate.ts';
import { plainMeaning } from '../../src/report/meaning.ts';
import type { Meaning } from '../../src/report/meaning.ts';
import type { RaceRecord } from '../../src/report/race.ts';
import { raceRecord } from '../../src/report/record.ts';
import { AWAIT_EQUAL, FETCH_ADD, READ, SMP_MB, WRITE } from '../../src/shared/kinds.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { defineTable } from '../../src/shared/table.ts';

export const Page = defineTable('d%.page[%]', ['domains', 'pages'], {
  refcount: '[GST] users of the page',
  private: '[GST] of the holder',
});
export const Lock = defineTable('d%.lock', ['domains'], { value: '[GST] spinlock' });

export const machine = createMachine([Page, Lock], { domains: 1, pages: 16 });
const refcount = Page.refcount.at2(0, 15);
const unmap = 'src/linux/drivers/unmap.ts';
const enabled = [0, 1];

/** A step. @param line - of the source. */
export function step(
  actor: number,
  kind: number,
  word: number,
  [before, after]: readonly [number, number],
  line: number,
): NarratedStep {
  const writes = before !== after || kind === WRITE;
  return {
    actor,
    store: -1,
    kind,
    effect: word === 0 ? LOCAL : writes ? WRITES : READS,
    word,
    guard: 0,
    operands: [0, 0, 0],
    before,
    after,
    result: before,
    places: [{ fn: actor === 0 ? 'getUserPages' : 'unmapRefs', file: unmap, line }],
    enabled,
  };
}

/** The store of a flush, as the buffer takes it. */
export function buffered(of: NarratedStep): NarratedStep {
  return { ...of, effect: INSERTS, before: 0, after: 0 };
}

export const narration: Narration = {
  steps: [
    step(1, READ, refcount, [1, 1], 10),
    step(1, AWAIT_EQUAL, Lock.value.at(0), [0, 0], 11),
    step(0, READ, Page.private.at2(0, 3), [7, 7], 40),
    step(0, FETCH_ADD, refcount, [1, 2], 41),
    step(0, SMP_MB, 0, [0, 0], 42),
    step(0, READ, Page.refcount.at2(0, 2), [3, 3], 43),
    step(1, WRITE, refcount, [2, 0], 12),
  ],
  switches: [
    { before: 2, from: 1, to: 0, reason: 'preempted', resumes: 6 },
    { before: 6, from: 0, to: 1, reason: 'finished', resumes: -1 },
  ],
  notes: [],
  waits: [],
  complaint: {
    invariant: 'I8',
    message: 'I8: a page was unmapped while somebody held it (d0.page[15].refcount)',
    words: ['d0.page[15].refcount'],
  },
  preemptions: 1,
  initial: machine.words.slice(),
  final: machine.words.slice(),
};

/** Who runs. */
export const actors = ['d0v0 gup', 'd0v1 unmap'].map((name) => ({ name, *body() {} }));

/** The record of a narration. */
export function recorded(
  told: Narration = narration,
  names: { readonly scenario?: string; readonly meaning?: Meaning } = {},
): RaceRecord {
  const { scenario = 'race/unmap', meaning = plainMeaning } = names;
  return raceRecord({ machine, actors }, told, {
    tool: { version: '0.1.0', commit: null, runtime: 'v20.0.0' },
    subject: {
      scenario,
      design: 'm2p-override',
      param: 0,
      memory: 'sc',
      strategy: 'pct',
      seed: 'gnt1.x',
      replay: 'gntrace replay gnt1.x',
    },
    meaning,
    stats: null,
  });
}
