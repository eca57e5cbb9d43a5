/** What a campaign tells while it runs. */
import type { Sighting } from './work.ts';
import type { ShardRecord, SightingRecord } from './store/records.ts';

/** In all that the store knows. */
export interface CampaignTotals {
  executions: number;
  steps: number;
  shards: number;
  /** Shards without a result. */
  failed: number;
  findings: number;
}

export type CampaignEvent =
  | {
      readonly t: 'shard';
      readonly cell: number;
      readonly number: number;
      readonly record: ShardRecord;
      /** Of the campaign: 0 to 1, or null. */
      readonly progress: number | null;
    }
  | { readonly t: 'finding'; readonly finding: SightingRecord }
  | {
      readonly t: 'shrunk';
      readonly id: string;
      readonly from: SightingRecord;
      readonly to: Sighting;
    };
