/** Reading a store, also while somebody writes it: what is read is one moment's state. */
import type { CellMemory, DoneShard, SearchState, Verdict } from '../cells/cell.ts';
import type { Portioning } from '../cells/drawn.ts';
import type { Left } from '../work.ts';
import type { Environment } from './environment.ts';
import { StoreError, openToRead, rowsOf } from './environment.ts';
import { SeenPairs } from './pairs.ts';
import type {
  CampaignRecord,
  CellRecord,
  ShardRecord,
  SightingRecord,
  WriterRecord,
} from './records.ts';
import { NO_CELL, STORE_VERSION } from './records.ts';

export class StoreReader {
  readonly campaign: CampaignRecord;
  protected readonly environment: Environment;

  /** @throws StoreError if this gntrace cannot read it. */
  constructor(environment: Environment, dir: string) {
    this.environment = environment;
    const campaign = environment.get(['campaign']) as CampaignRecord | undefined;
    if (campaign === undefined) throw new StoreError(`${dir} holds no campaign yet`);
    if (campaign.v !== STORE_VERSION) {
      throw new StoreError(
        `the store in ${dir} is of version ${campaign.v}; this gntrace reads ${STORE_VERSION}`,
      );
    }
    this.campaign = campaign;
  }

  static open(dir: string): StoreReader {
    return new StoreReader(openToRead(dir), dir);
  }

  /** Which of n machines wrote it. */
  get part(): Portioning {
    return (this.environment.get(['part']) as Portioning | undefined) ?? { index: 0, of: 1 };
  }

  /** Who writes it, as far as is known. */
  get writer(): WriterRecord | null {
    return (this.environment.get(['writer']) as WriterRecord | undefined) ?? null;
  }

  cell(index: number): CellRecord {
    return (this.environment.get(['cell', index]) as CellRecord | undefined) ?? NO_CELL;
  }

  pairs(index: number): SeenPairs {
    const bytes = this.environment.get(['pairs', index]) as Uint8Array | undefined;
    if (bytes === undefined) return new SeenPairs();
    return new SeenPairs(new Uint32Array(bytes.slice().buffer));
  }

  *shards(index: number): Generator<readonly [number, ShardRecord]> {
    for (const { key, value } of rowsOf<ShardRecord>(this.environment, 'shard', index)) {
      yield [key[0] as number, value];
    }
  }

  search(index: number): SearchState | null {
    return (this.environment.get(['search', index]) as SearchState | undefined) ?? null;
  }

  *left(index: number): Generator<readonly [number, Left]> {
    for (const { key, value } of rowsOf<Left>(this.environment, 'left', index)) {
      yield [key[0] as number, value];
    }
  }

  /** All that a cell needs to go on. */
  memory(index: number): CellMemory {
    const done = new Map<number, DoneShard>();
    for (const [number, { failure, sightings, ...tally }] of this.shards(index)) {
      done.set(number, { ...tally, failed: failure !== null, broke: sightings.length > 0 });
    }
    const verdict: Verdict = this.cell(index).verdict;
    return { verdict, done, search: this.search(index), left: new Map(this.left(index)) };
  }

  *sightings(): Generator<SightingRecord> {
    for (const { value } of rowsOf<SightingRecord>(this.environment, 'sighting')) yield value;
  }

  /** Minutes since 1970, and the executions of each. */
  *rates(): Generator<readonly [number, number]> {
    for (const { key, value } of rowsOf<number>(this.environment, 'rate')) {
      yield [key[0] as number, value];
    }
  }

  async close(): Promise<void> {
    await this.environment.close();
  }
}
