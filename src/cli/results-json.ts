/** What a store holds, as JSON; docs/campaigns.md is its schema. */
import type { CellName } from '../campaign/cells/cell.ts';
import type { StoreReader } from '../campaign/store/reader.ts';
import type { CellRecord, SightingRecord } from '../campaign/store/records.ts';
import { timesOf } from '../campaign/store/records.ts';

/** The command that shows it again. */
export function replayCommand({ seed, shrunk }: SightingRecord): string {
  if (seed.startsWith('gntrace ')) return seed;
  return `gntrace replay ${shrunk?.seed ?? seed}`;
}

/** A finding. @param same - those that turned out to be the same when they were smaller. */
export function findingJson(finding: SightingRecord, same: readonly SightingRecord[]): object {
  const { id, scenario, design, memory, invariant, message, words, shrunk } = finding;
  const { seed, steps, preemptions, seen, atMs, fingerprint } = finding;
  return {
    id,
    fingerprint: shrunk?.fingerprint ?? fingerprint,
    scenario,
    design,
    memory,
    invariant,
    message,
    words,
    times: timesOfAll(finding, same),
    seed,
    steps,
    preemptions,
    shrunk,
    replay: replayCommand(finding),
    seen,
    same: same.map((one) => one.id),
    foundMs: atMs,
  };
}

/** How often a bug was seen. */
export function timesOfAll(finding: SightingRecord, same: readonly SightingRecord[]): number {
  return [finding, ...same].reduce((sum, one) => sum + timesOf(one), 0);
}

/** A cell and what came of it. */
export function cellJson(
  cell: CellName,
  record: CellRecord,
  pairs: number,
  findings: number,
): object {
  const { executions: wanted, ...question } = cell;
  return { ...question, wanted, ...record, pairs, findings };
}

/** A finding, with those that are the same bug. */
export interface Listed {
  readonly finding: SightingRecord;
  readonly same: readonly SightingRecord[];
}

/**
 * The findings of a store: those that are one bug once they are small, and those of which only the
 * first few of a kind were made small, stand behind the one that was seen first.
 */
export function listFindings(store: StoreReader): Listed[] {
  const listed = new Map<string, SightingRecord[]>();
  const sightings = [...store.sightings()].sort(
    (a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1),
  );
  for (const sighting of sightings) {
    const { scenario, design, fingerprint, shrunk } = sighting;
    const key = JSON.stringify([scenario, design, shrunk?.fingerprint ?? fingerprint]);
    const known = listed.get(key);
    if (known === undefined) listed.set(key, [sighting]);
    else known.push(sighting);
  }
  return [...listed.values()].map(([finding, ...same]) => ({
    finding: finding as SightingRecord,
    same,
  }));
}

/** The one finding whose id begins like this, or null. */
export function findingWithId(findings: readonly Listed[], id: string): Listed | null {
  const found = findings.filter(({ finding, same }) =>
    [finding, ...same].some((one) => one.id.startsWith(id)),
  );
  return found.length === 1 ? (found[0] as Listed) : null;
}
