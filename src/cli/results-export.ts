/** Findings and cells of a store for other tools. */
import { writeFileSync } from 'node:fs';
import { StoreReader } from '../campaign/store/reader.ts';
import { asUsage } from './campaign-store.ts';
import { cellsOf } from './campaign-text.ts';
import { print } from './output.ts';
import { cellJson, findingJson, listFindings } from './results-json.ts';

export interface ExportOptions {
  readonly ndjson?: string;
  readonly html?: string;
  readonly junit?: string;
  readonly github?: boolean;
}

/** Writes what the options ask for; lines of JSON to stdout if they ask for nothing. */
export async function exportResults(dir: string, asked: ExportOptions): Promise<void> {
  const store = asUsage(() => StoreReader.open(dir));
  try {
    const { ndjson, html, junit, github } = asked;
    const others = html !== undefined || junit !== undefined || github === true;
    if (ndjson !== undefined || !others) writeLines(store, ndjson ?? '-');
  } finally {
    await store.close();
  }
}

function told(t: string, what: object): string {
  return JSON.stringify({ v: 1, t, ...what });
}

function writeLines(store: StoreReader, file: string): void {
  const { id, name, code, plan, startedMs } = store.campaign;
  const lines = [
    told('campaign', { id, name, code, plan, startedMs }),
    ...cellsOf(store).map(({ cell, record, pairs, findings }) =>
      told('cell', cellJson(cell, record, pairs, findings)),
    ),
    ...listFindings(store).map(({ finding, same }) => told('finding', findingJson(finding, same))),
  ];
  if (file === '-') for (const line of lines) print(line);
  else writeFileSync(file, `${lines.join('\n')}\n`);
}
