/** Findings that are known: an export of an earlier campaign, or its store. */
import { readFileSync, statSync } from 'node:fs';
import { StoreReader } from '../campaign/store/reader.ts';
import { asUsage } from './campaign-store.ts';
import type { Listed } from './results-json.ts';
import { findingJson, listFindings } from './results-json.ts';
import { UsageError } from './usage.ts';

/** What findings are known by. */
export type Baseline = ReadonlySet<string>;

interface Known {
  readonly t?: string;
  readonly scenario: string;
  readonly design: string;
  readonly fingerprint: string;
}

function keyOf({ scenario, design, fingerprint }: Known): string {
  return JSON.stringify([scenario, design, fingerprint]);
}

/** Reads what `gntrace results export` wrote, or a store. */
export async function readBaseline(path: string): Promise<Baseline> {
  let isStore: boolean;
  try {
    isStore = statSync(path).isDirectory();
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : ''}`);
  }
  if (!isStore) return new Set(readFileSync(path, 'utf8').split('\n').flatMap(keysOfLine(path)));
  const store = asUsage(() => StoreReader.open(path));
  const known = new Set(listFindings(store).flatMap(keysOf));
  await store.close();
  return known;
}

function keysOfLine(path: string): (line: string, i: number) => string[] {
  return (line, i) => {
    if (line.trim() === '') return [];
    let known: Known;
    try {
      known = JSON.parse(line) as Known;
    } catch {
      throw new UsageError(`line ${i + 1} of ${path} is no JSON`);
    }
    return known.t === undefined || known.t === 'finding' ? [keyOf(known)] : [];
  };
}

function keysOf({ finding, same }: Listed): string[] {
  return [finding, ...same].map((one) => keyOf(findingJson(one, []) as Known));
}

/** Those of which nothing is known. */
export function newFindings(findings: readonly Listed[], known: Baseline): Listed[] {
  return findings.filter((listed) => !keysOf(listed).some((key) => known.has(key)));
}
