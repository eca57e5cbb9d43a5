/** Writing a store. One process writes; what it says is kept when a call returns. */
import { hostname } from 'node:os';
import type { SearchState, Verdict } from '../cells/cell.ts';
import type { Portioning } from '../cells/drawn.ts';
import type { Left, Outcome, Sighting } from '../work.ts';
import { StoreError, openToWrite } from './environment.ts';
import type { SeenPairs } from './pairs.ts';
import { StoreReader } from './reader.ts';
import type { CampaignRecord, CellRecord, ShardRecord, Shrunk, SightingRecord } from './records.ts';
import { sightingId, withSighting } from './sighting-record.ts';

const MINUTE_MS = 60_000;

/** A shard that is done, with all that its cell asks to be kept with it. */
export interface ShardToKeep {
  readonly cell: number;
  readonly number: number;
  readonly record: ShardRecord;
  /** What was seen, in full. */
  readonly sightings: readonly Sighting[];
  /** Of a search: what is left of it. */
  readonly left: Left | null;
  readonly search: SearchState | null;
  readonly verdict: Verdict;
  /** The cell's pairs, if this shard changed them. */
  readonly pairs: SeenPairs | null;
}

export class StoreWriter extends StoreReader {
  /** Opens a store, or makes it. @throws StoreError if somebody else writes it. */
  static create(dir: string, campaign: CampaignRecord, part: Portioning): StoreWriter {
    const environment = openToWrite(dir);
    environment.transactionSync(() => {
      if (environment.get(['campaign']) !== undefined) return;
      environment.putSync(['campaign'], campaign);
      environment.putSync(['part'], part);
    });
    return StoreWriter.claim(new StoreWriter(environment, dir), dir);
  }

  /** Opens a store that is there. */
  static goOn(dir: string): StoreWriter {
    return StoreWriter.claim(new StoreWriter(openToWrite(dir), dir), dir);
  }

  private static claim(store: StoreWriter, dir: string): StoreWriter {
    const { environment } = store;
    const other = environment.transactionSync(() => {
      const { writer } = store;
      if (writer !== null && isAlive(writer.pid, writer.host)) return writer;
      environment.putSync(['writer'], { pid: process.pid, host: hostname() });
      return null;
    });
    if (other === null) return store;
    void environment.close();
    throw new StoreError(`process ${other.pid} of ${other.host} is writing the store in ${dir}`);
  }

  /**
   * Keeps a shard and everything that it changes, or nothing, if the shard is there already.
   * @returns the findings that were not known before; null if the shard was.
   */
  keep(shard: ShardToKeep): readonly SightingRecord[] | null {
    const { environment } = this;
    const { cell, number, record } = shard;
    return environment.transactionSync(() => {
      if (environment.doesExist(['shard', cell, number])) return null;
      environment.putSync(['shard', cell, number], record);
      environment.putSync(['cell', cell], withShard(this.cell(cell), record, shard.verdict));
      if (shard.pairs !== null) {
        environment.putSync(['pairs', cell], bytesOf(shard.pairs));
      }
      this.keepSearch(shard);
      const minute = Math.floor(record.atMs / MINUTE_MS);
      const before = (environment.get(['rate', minute]) as number | undefined) ?? 0;
      environment.putSync(['rate', minute], before + record.executions);
      return shard.sightings.flatMap((sighting) => this.see(sighting, cell, record.atMs));
    });
  }

  private keepSearch({ cell, number, left, search }: ShardToKeep): void {
    const { environment } = this;
    if (search === null) {
      if (left !== null) environment.putSync(['left', cell, number], left);
      return;
    }
    environment.putSync(['search', cell], search);
    this.removeLeft(cell);
  }

  private removeLeft(cell: number): void {
    const numbers = Array.from(this.left(cell), ([number]) => number);
    for (const number of numbers) this.environment.removeSync(['left', cell, number]);
  }

  private see(sighting: Sighting, cell: number, atMs: number): SightingRecord[] {
    const { environment } = this;
    const id = sightingId(sighting);
    const known = environment.get(['sighting', id]) as SightingRecord | undefined;
    const record = withSighting(known, sighting, cell, atMs);
    environment.putSync(['sighting', id], record);
    return known === undefined ? [record] : [];
  }

  /** Keeps a finding that was made smaller. */
  keepShrunk(id: string, shrunk: Shrunk): void {
    const { environment } = this;
    environment.transactionSync(() => {
      const known = environment.get(['sighting', id]) as SightingRecord | undefined;
      if (known === undefined) return;
      environment.putSync(['sighting', id], { ...known, shrunk });
    });
  }

  /** Keeps where a search stands that went on in another store. */
  keepSearchOf(
    cell: number,
    search: SearchState,
    left: ReadonlyMap<number, Left>,
    verdict: Verdict,
  ): void {
    const { environment } = this;
    environment.transactionSync(() => {
      environment.putSync(['search', cell], search);
      this.removeLeft(cell);
      for (const [number, one] of left) environment.putSync(['left', cell, number], one);
      environment.putSync(['cell', cell], { ...this.cell(cell), verdict });
    });
  }

  /** Keeps which ordered pairs a cell has shown. */
  keepPairs(cell: number, pairs: SeenPairs): void {
    this.environment.putSync(['pairs', cell], bytesOf(pairs));
  }

  /** Gives the store back. */
  override async close(): Promise<void> {
    const { environment, writer } = this;
    if (writer?.pid === process.pid && writer.host === hostname()) {
      environment.transactionSync(() => environment.removeSync(['writer']));
    }
    await super.close();
  }
}

function bytesOf(pairs: SeenPairs): Uint8Array {
  return new Uint8Array(pairs.words().buffer);
}

/** The row of a shard. */
export function shardRecord(outcome: Outcome, atMs: number): ShardRecord {
  if ('failure' in outcome) {
    const none = { executions: 0, blocked: 0, discarded: 0, steps: 0, milliseconds: 0 };
    return { ...none, atMs, exhausted: false, sightings: [], failure: outcome.failure };
  }
  const { executions, blocked, discarded, steps, sightings, exhausted } = outcome.result;
  const seen = sightings.map((sighting) => [sightingId(sighting), sighting.times] as const);
  const { milliseconds } = outcome;
  const tally = { executions, blocked, discarded, steps, milliseconds };
  return { ...tally, atMs, exhausted, sightings: seen, failure: null };
}

/** A cell with one shard more. */
export function withShard(cell: CellRecord, shard: ShardRecord, verdict: Verdict): CellRecord {
  return {
    executions: cell.executions + shard.executions,
    blocked: cell.blocked + shard.blocked,
    discarded: cell.discarded + shard.discarded,
    steps: cell.steps + shard.steps,
    milliseconds: cell.milliseconds + shard.milliseconds,
    shards: cell.shards + 1,
    failed: cell.failed + (shard.failure === null ? 0 : 1),
    verdict,
  };
}

/** Does the process still run? Of another host nobody knows. */
function isAlive(pid: number, host: string): boolean {
  if (host !== hostname()) return false;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
