/**
 * `gntrace bench check`: every lookup beside a writer at full speed with the oracle listening in
 * every thread. Sums of all chunks are verified as in every run; besides, the oracle's stamps tell
 * of a frame or a page table that is reached without a right to it. Rates are not measured here.
 */
import { Command } from 'commander';
import { LiveLine, print } from '../../src/cli/output.ts';
import { EXIT_CLEAN, EXIT_FINDING, oneOf, positiveNumber } from '../../src/cli/usage.ts';
import { Crew } from '../crew.ts';
import type { LookupName } from '../lookup-names.ts';
import { LOOKUP_NAMES } from '../lookup-names.ts';
import { CHUNK } from '../machine.ts';
import { aligned } from '../table.ts';

const ENTRIES = 1024;
/** No reader may wait longer. */
const WAIT_MS = 10;

/** What a lookup's readers met. */
export interface Checked {
  readonly lookup: LookupName;
  readonly lookups: number;
  readonly writerTurns: number;
  /** Wrong sums, refused changes, failed assertions, findings of the oracle. */
  readonly wrong: number;
  readonly retries: number;
  /** The longest that a chunk of 1024 lookups took, the time of lost processors included. */
  readonly longestMs: number;
}

/** Two readers and the writer for a while. */
export async function checkLookup(lookup: LookupName, seconds: number): Promise<Checked> {
  const sequences = [{ distribution: 'uniform', sharing: 'shared' }] as const;
  const shape = { lookup, entries: ENTRIES, vmas: 1, readers: 2, keys: 4 * CHUNK, oracle: true };
  const crew = await Crew.start(shape, { seed: 1, sequences });
  try {
    // The variant whose accesses the oracle is told of.
    const variant = 'threads';
    const reading = { variant, batch: 16, firstChunk: 0, chunks: 4, changes: 0 } as const;
    const readings = [reading, reading];
    const { readers, writer } = await crew.run({ readings, writer: true, ms: seconds * 1000 });
    const all = [...readers, ...(writer === null ? [] : [writer])];
    return {
      lookup,
      lookups: readers.reduce((sum, did) => sum + did.lookups, 0),
      writerTurns: writer?.turns ?? 0,
      wrong: all.reduce((sum, did) => sum + did.wrong, 0),
      retries: readers.reduce((sum, did) => sum + did.retries, 0),
      longestMs: Math.max(...readers.map((did) => did.longestMs)),
    };
  } finally {
    await crew.end();
  }
}

interface RawOptions {
  readonly lookup?: string;
  readonly seconds: string;
  readonly json?: boolean;
}

/** The command. @param exit - takes the exit status: 1 if anything was wrong. */
export function checkCommand(exit: (status: number) => void): Command {
  return new Command('check')
    .description('every lookup beside a writer, with the oracle listening')
    .option('--lookup <names>', 'which (default: all)')
    .option('--seconds <s>', 'time for each', '2')
    .option('--json', 'print one JSON object instead of text')
    .action(async (raw: RawOptions) => {
      const seconds = positiveNumber(raw.seconds, '--seconds', 1e6);
      const names =
        raw.lookup?.split(',').map((name) => oneOf(name, LOOKUP_NAMES, 'lookup') as LookupName) ??
        LOOKUP_NAMES;
      const live = new LiveLine();
      const rows: Checked[] = [];
      for (const name of names) {
        live.show(`${name}: ${rows.length + 1} of ${names.length}`);
        rows.push(await checkLookup(name, seconds));
      }
      live.clear();
      if (raw.json === true) {
        print(JSON.stringify({ schema: 'gntrace-bench-check/1', seconds, results: rows }));
      } else {
        const header = ['lookup', 'lookups', 'changes', 'wrong', 'retries', 'longest'];
        const table = rows.map((row) => [
          row.lookup,
          String(row.lookups),
          String(row.writerTurns),
          String(row.wrong),
          String(row.retries),
          `${row.longestMs.toFixed(1)} ms${row.longestMs > WAIT_MS ? ' *' : ''}`,
        ]);
        for (const line of aligned(header, table)) print(line);
        print(`* over ${WAIT_MS} ms for ${CHUNK} lookups: on a busy host, threads wait for a core`);
      }
      exit(rows.some(({ wrong }) => wrong > 0) ? EXIT_FINDING : EXIT_CLEAN);
    });
}
