/**
 * Puts stores together. A shard that is there already is passed over, so whoever merges twice, or
 * in another order, comes to the same.
 */
import type { Verdict } from '../cells/cell.ts';
import type { Sighting } from '../work.ts';
import { StoreError } from './environment.ts';
import { StoreReader } from './reader.ts';
import type { CampaignRecord, CellRecord, SightingRecord } from './records.ts';
import { isSimpler } from './sighting-record.ts';
import { StoreWriter } from './writer.ts';

/** What a merge came to, in shards. */
export interface Merged {
  readonly added: number;
  readonly known: number;
}

/** @throws StoreError if they are of different plans or code. */
export async function mergeStores(dirs: readonly string[], into: string): Promise<Merged> {
  const open: StoreReader[] = [];
  try {
    for (const dir of dirs) open.push(StoreReader.open(dir));
    const sources = [...open];
    const [{ campaign }] = sources as [StoreReader];
    sources.forEach((source, i) => mustFit(source.campaign, campaign, dirs[i] as string));
    const store = StoreWriter.create(into, campaign, { index: 0, of: 1 });
    open.push(store);
    mustFit(store.campaign, campaign, into);
    let added = 0;
    let known = 0;
    for (const source of sources) {
      const merge = new Merge(source, store);
      merge.run();
      added += merge.added;
      known += merge.known;
    }
    return { added, known };
  } finally {
    for (const store of open) await store.close();
  }
}

function mustFit(campaign: CampaignRecord, wanted: CampaignRecord, dir: string): void {
  if (campaign.plan === wanted.plan && campaign.code === wanted.code) return;
  throw new StoreError(
    `${dir} holds plan ${campaign.plan} of code ${campaign.code}; ` +
      `the others are of plan ${wanted.plan}, code ${wanted.code}`,
  );
}

/** Verdicts of parts of one cell: the later one decides. */
const VERDICTS: readonly Verdict[] = ['safe', 'undecided', 'open', 'failed', 'broken'];

function worse(here: CellRecord, there: CellRecord): Verdict {
  if (here.shards === 0) return there.verdict;
  const rank = Math.max(VERDICTS.indexOf(here.verdict), VERDICTS.indexOf(there.verdict));
  return VERDICTS[rank] as Verdict;
}

class Merge {
  added = 0;
  known = 0;
  private readonly source: StoreReader;
  private readonly store: StoreWriter;
  private readonly sightings: ReadonlyMap<string, SightingRecord>;

  constructor(source: StoreReader, store: StoreWriter) {
    this.source = source;
    this.store = store;
    this.sightings = new Map([...source.sightings()].map((one) => [one.id, one]));
  }

  run(): void {
    const { source, store } = this;
    source.campaign.cells.forEach((_cell, index) => this.cell(index));
    for (const { id, shrunk } of this.sightings.values()) {
      if (shrunk === null) continue;
      const here = [...store.sightings()].find((one) => one.id === id)?.shrunk ?? null;
      if (here === null || isSimpler(shrunk, here)) store.keepShrunk(id, shrunk);
    }
    for (const [index] of source.campaign.cells.entries()) {
      const here = store.pairs(index);
      if (here.union(source.pairs(index))) store.keepPairs(index, here);
    }
  }

  private cell(index: number): void {
    const { source, store } = this;
    const [theirs, ours] = [source.search(index), store.search(index)];
    const further = theirs !== null && (ours === null || theirs.round > ours.round);
    const lefts = new Map(source.left(index));
    const same = theirs?.round === ours?.round;
    for (const [number, record] of source.shards(index)) {
      const kept = store.keep({
        cell: index,
        number,
        record,
        sightings: record.sightings.flatMap(([id, times]) => this.sighting(id, times)),
        left: further || same ? (lefts.get(number) ?? null) : null,
        search: null,
        verdict: worse(store.cell(index), source.cell(index)),
        pairs: null,
      });
      if (kept === null) this.known++;
      else this.added++;
    }
    if (further) store.keepSearchOf(index, theirs, lefts, source.cell(index).verdict);
  }

  /** A sighting of a shard as its thread told it. */
  private sighting(id: string, times: number): Sighting[] {
    const known = this.sightings.get(id);
    if (known === undefined) return [];
    const { id: _id, seen: _seen, atMs: _atMs, shrunk: _shrunk, ...told } = known;
    return [{ ...told, times }];
  }
}
