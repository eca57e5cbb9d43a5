/**
 * A campaign: takes shards from its cells, has them run, and keeps what came of each before it
 * tells anybody. What breaks is made smaller in between.
 */
import type { CellName, CellRun, Shard } from './cells/cell.ts';
import { DrawnCell } from './cells/drawn.ts';
import type { Portioning } from './cells/drawn.ts';
import { SearchCell } from './cells/search.ts';
import { SHAREABLE } from '../explore/portion.ts';
import type { CampaignEvent, CampaignTotals } from './events.ts';
import type { SeenPairs } from './store/pairs.ts';
import type { SightingRecord } from './store/records.ts';
import type { ShardToKeep, StoreWriter } from './store/writer.ts';
import { shrunkOf } from './store/sighting-record.ts';
import { shardRecord } from './store/writer.ts';
import { failureSighting } from './failures.ts';
import { Shrinking } from './shrinking.ts';
import type { Outcome, Runner } from './work.ts';

export interface CampaignOptions {
  /** No new shards from then on; those in flight are waited for. */
  readonly signal: AbortSignal;
  /** Time after which no new shard is begun. */
  readonly seconds: number;
  /** Cells that showed something new lately go before those that were run least. */
  readonly preferNew: boolean;
  readonly part: Portioning;
  readonly onEvent: (event: CampaignEvent) => void;
}

/** A cell while its campaign runs. */
interface Entry {
  readonly index: number;
  readonly cell: CellName;
  readonly run: CellRun;
  readonly pairs: SeenPairs;
  steps: number;
  shards: number;
  inFlight: number;
}

export class Campaign {
  private readonly entries: Entry[];
  private readonly store: StoreWriter;
  private readonly runner: Runner;
  private readonly options: CampaignOptions;
  private readonly shrinking: Shrinking;
  private readonly deadlineMs: number;
  private readonly inFlight = new Set<Promise<void>>();
  readonly totals: CampaignTotals;
  private failure: unknown = null;

  constructor(store: StoreWriter, runner: Runner, options: CampaignOptions) {
    this.store = store;
    this.runner = runner;
    this.options = options;
    this.deadlineMs = performance.now() + options.seconds * 1000;
    this.entries = store.campaign.cells.map((cell, index) => this.entry(cell, index));
    this.shrinking = new Shrinking(store.sightings());
    this.totals = totalsOf(store, this.entries.length);
  }

  private entry(cell: CellName, index: number): Entry {
    const { store } = this;
    const { steps, shards } = store.cell(index);
    const run = cellRun(cell, index, this.options.part, store);
    return { index, cell, run, pairs: store.pairs(index), steps, shards, inFlight: 0 };
  }

  /**
   * Runs until nothing is left, or until it is told to stop. @throws what kept the store from
   * being written; everything that was kept before stays.
   */
  async run(): Promise<CampaignTotals> {
    for (;;) {
      while (this.inFlight.size < this.runner.slots && this.failure === null && this.begin());
      if (this.inFlight.size === 0) break;
      await Promise.race(this.inFlight);
      if (this.failure !== null) break;
    }
    if (this.failure !== null) throw this.failure;
    return this.totals;
  }

  /** Begins one piece of work. @returns false if there is none now. */
  private begin(): boolean {
    if (this.options.signal.aborted) return false;
    const late = performance.now() > this.deadlineMs;
    const entry = late ? undefined : this.choose();
    if (this.shrinking.ready(entry === undefined, this.runner.slots)) {
      this.follow(this.shrinkOne());
      return true;
    }
    const shard = entry?.run.next() ?? null;
    if (entry === undefined || shard === null) return false;
    this.follow(this.runShard(entry, shard));
    return true;
  }

  private follow(work: Promise<void>): void {
    const settled = work
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => this.inFlight.delete(settled));
    this.inFlight.add(settled);
  }

  /** The cell whose turn it is. */
  private choose(): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.entries) {
      if (!entry.run.ready) continue;
      if (best === undefined || this.goesBefore(entry, best)) best = entry;
    }
    return best;
  }

  private goesBefore(a: Entry, b: Entry): boolean {
    if (this.options.preferNew) {
      const [newOfA, newOfB] = [chanceOfNew(a), chanceOfNew(b)];
      if (newOfA !== newOfB) return newOfA > newOfB;
    }
    if (a.inFlight !== b.inFlight) return a.inFlight < b.inFlight;
    return a.steps < b.steps;
  }

  private async runShard(entry: Entry, shard: Shard): Promise<void> {
    const key = `${entry.index}.${shard.number}`;
    entry.inFlight++;
    try {
      const outcome = await this.runner.run(key, shard.work);
      // Nothing is kept behind what could not be kept.
      if (this.failure !== null) return;
      this.keep(entry, shard, outcome);
      await this.runner.forget(key);
    } finally {
      entry.inFlight--;
    }
  }

  private keep(entry: Entry, shard: Shard, outcome: Outcome): void {
    const { index, cell, run, pairs } = entry;
    const atMs = Date.now();
    const record = shardRecord(outcome, atMs);
    const { search, verdict } = run.done(shard, outcome);
    const failed = 'failure' in outcome;
    const result = failed ? null : outcome.result;
    const sightings = failed
      ? [failureSighting(cell, shard, outcome.failure)]
      : outcome.result.sightings;
    const changed = result !== null && pairs.add(result.pairs);
    const fresh = this.write({
      cell: index,
      number: shard.number,
      record,
      sightings,
      left: result?.left ?? null,
      search,
      verdict,
      pairs: changed ? pairs : null,
    });
    if (fresh === null) return;
    entry.steps += record.steps;
    entry.shards++;
    this.count(record.executions, record.steps, failed);
    const { number } = shard;
    this.options.onEvent({ t: 'shard', cell: index, number, record, progress: this.progress() });
    for (const sighting of fresh) this.found(sighting);
  }

  private write(shard: ShardToKeep): readonly SightingRecord[] | null {
    try {
      return this.store.keep(shard);
    } catch (error) {
      const why = error instanceof Error ? error.message.split(':')[0] : String(error);
      throw new Error(`the store cannot be written: ${why}; what was kept before stays`, {
        cause: error,
      });
    }
  }

  private count(executions: number, steps: number, failed: boolean): void {
    const { totals } = this;
    totals.executions += executions;
    totals.steps += steps;
    totals.shards++;
    if (failed) totals.failed++;
  }

  private found(sighting: SightingRecord): void {
    this.totals.findings++;
    this.options.onEvent({ t: 'finding', finding: sighting });
    this.shrinking.add(sighting);
  }

  private async shrinkOne(): Promise<void> {
    const { sighting, work } = this.shrinking.take();
    const key = `shrink.${sighting.id}`;
    try {
      const outcome = await this.runner.run(key, work);
      if ('failure' in outcome) return;
      const [smaller] = outcome.result.sightings;
      if (smaller === undefined || this.failure !== null) return;
      this.store.keepShrunk(sighting.id, shrunkOf(smaller));
      this.options.onEvent({ t: 'shrunk', id: sighting.id, from: sighting, to: smaller });
      await this.runner.forget(key);
    } finally {
      this.shrinking.ended();
    }
  }

  /** How far all of it is: 0 to 1; null if there is no end to be seen. */
  progress(): number | null {
    let sum = 0;
    for (const { run } of this.entries) {
      const { progress } = run;
      if (progress === null) return null;
      sum += progress;
    }
    return sum / this.entries.length;
  }
}

/**
 * Good's and Turing's estimate that the next shard shows an ordered pair which none has shown: the
 * pairs that one shard alone has shown, a shard. A cell that was never run comes before all.
 */
function chanceOfNew({ pairs, shards, inFlight }: Entry): number {
  if (shards + inFlight === 0) return Infinity;
  return (pairs.once + 1) / (shards + inFlight + 1);
}

function cellRun(cell: CellName, index: number, part: Portioning, store: StoreWriter): CellRun {
  const memory = store.memory(index);
  if ((SHAREABLE as readonly string[]).includes(cell.strategy)) {
    return new SearchCell(cell, index % part.of === part.index, memory);
  }
  return new DrawnCell(cell, part, memory);
}

/** What a store holds, in sum. */
function totalsOf(store: StoreWriter, cells: number): CampaignTotals {
  const totals = { executions: 0, steps: 0, shards: 0, failed: 0, findings: 0 };
  for (let index = 0; index < cells; index++) {
    const cell = store.cell(index);
    totals.executions += cell.executions;
    totals.steps += cell.steps;
    totals.shards += cell.shards;
    totals.failed += cell.failed;
  }
  for (const _ of store.sightings()) totals.findings++;
  return totals;
}
