/** Runs the work of a campaign in this thread, and forgets what it is told to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { Campaign } from '../../src/campaign/campaign.ts';
import type { CampaignOptions } from '../../src/campaign/campaign.ts';
import { FUZZ } from '../../src/campaign/cells/cell.ts';
import type { CellName } from '../../src/campaign/cells/cell.ts';
import { EVERYTHING } from '../../src/campaign/cells/drawn.ts';
import type { CampaignEvent } from '../../src/campaign/events.ts';
import { WorkRunner } from '../../src/campaign/run-work.ts';
import type { CampaignRecord } from '../../src/campaign/store/records.ts';
import { StoreWriter } from '../../src/campaign/store/writer.ts';
import type { Outcome, Runner, Work } from '../../src/campaign/work.ts';
import { findScenario } from '../../src/cli/scenarios.ts';

const base = mkdtempSync(join(tmpdir(), 'gntrace-campaign-'));
let folders = 0;

afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A folder that is gone afterwards. */
export function folder(): string {
  return join(base, String(folders++));
}

export class Here implements Runner {
  readonly slots: number;
  /** Keys in the order in which they were run. */
  readonly ran: string[] = [];
  private readonly runner = new WorkRunner(findScenario);

  constructor(slots = 2) {
    this.slots = slots;
  }

  async run(key: string, work: Work): Promise<Outcome> {
    await setImmediate();
    this.ran.push(key);
    const result = this.runner.run(work, new Int32Array(2));
    return { result, milliseconds: 1 };
  }

  async forget(): Promise<void> {}
  async close(): Promise<void> {}
}

/** A cell; a wrong little program if nothing else is asked. */
export function cell(asked: Partial<CellName> = {}): CellName {
  const usual = { scenario: 'program/bakery-wrong', design: '', param: 2, memory: 'sc' } as const;
  const name = { ...usual, strategy: 'pct', seed: 1, depth: 3, executions: 3000 } as const;
  return { ...name, ...asked };
}

export const fuzzCell = cell({ scenario: FUZZ, design: 'vma-pages', param: 0, executions: 60 });

export function record(cells: readonly CellName[]): CampaignRecord {
  return { v: 1, id: 'test', name: 'test', plan: 'plan', code: 'code', cells, startedMs: 0 };
}

export interface Ran {
  readonly events: readonly CampaignEvent[];
  readonly store: StoreWriter;
}

/** Runs a campaign in a store; the store stays open. */
export async function runIn(
  dir: string,
  cells: readonly CellName[],
  runner: Runner,
  options: Partial<CampaignOptions> = {},
): Promise<Ran> {
  const part = options.part ?? EVERYTHING;
  const store = StoreWriter.create(dir, record(cells), part);
  const events: CampaignEvent[] = [];
  const campaign = new Campaign(store, runner, {
    signal: new AbortController().signal,
    seconds: Infinity,
    preferNew: false,
    part,
    onEvent: (event) => events.push(event),
    ...options,
  });
  await campaign.run();
  return { events, store };
}

/** All that must not depend on who ran it, when and in which order. */
export function outcomeOf(store: StoreWriter): object {
  const cells = store.campaign.cells.map((_, index) => {
    const { milliseconds: _milliseconds, ...told } = store.cell(index);
    return { ...told, pairs: store.pairs(index).count };
  });
  const findings = [...store.sightings()].map(({ id, seed, steps, preemptions, seen }) => ({
    id,
    seed,
    steps,
    preemptions,
    seen,
  }));
  return { cells, findings };
}
