/**
 * Findings that wait to be made smaller. Beside shards that wait, one at a time; when there are no
 * more, as many as can be run. Of one kind (scenario, design, invariant and words) only the first
 * few: smaller ones mostly turn out to be the same.
 */
import { coarseKey } from './fuzz/run-program.ts';
import { WORKER } from './failures.ts';
import type { SightingRecord } from './store/records.ts';
import type { ShrinkWork } from './work.ts';

const SECONDS = 5;
const OF_A_KIND = 4;

export class Shrinking {
  private readonly waiting: SightingRecord[] = [];
  private readonly kinds = new Map<string, number>();
  private running = 0;

  constructor(known: Iterable<SightingRecord>) {
    for (const sighting of known) this.add(sighting);
  }

  add(sighting: SightingRecord): void {
    if (sighting.invariant.startsWith(WORKER)) return;
    const kind = `${sighting.scenario} ${sighting.design} ${coarseKey(sighting)}`;
    const before = this.kinds.get(kind) ?? 0;
    this.kinds.set(kind, before + 1);
    if (before < OF_A_KIND && sighting.shrunk === null) this.waiting.push(sighting);
  }

  /** Is it the turn of one of them? @param idle - there is nothing else to do. */
  ready(idle: boolean, slots: number): boolean {
    return this.waiting.length > 0 && (idle || (this.running === 0 && slots > 1));
  }

  take(): { readonly sighting: SightingRecord; readonly work: ShrinkWork } {
    const sighting = this.waiting.shift() as SightingRecord;
    this.running++;
    return { sighting, work: { kind: 'shrink', seed: sighting.seed, seconds: SECONDS } };
  }

  ended(): void {
    this.running--;
  }
}
