/**
 * `gntrace results`: what campaigns have come to; also while one is running. It loads no scenario:
 * a listing is to be there at once.
 */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { matches } from '../campaign/plan/glob.ts';
import { StoreReader } from '../campaign/store/reader.ts';
import { asUsage, storeToRead } from './campaign-store.ts';
import type { ToldCell } from './campaign-text.ts';
import { cellsOf, describeCells, describeFindings, describeHead } from './campaign-text.ts';
import { print } from './output.ts';
import type { Listed } from './results-json.ts';
import { cellJson, findingJson, findingWithId, listFindings } from './results-json.ts';
import { EXIT_CLEAN, EXIT_FINDING, UsageError } from './usage.ts';

interface RawStoreOptions {
  readonly store?: string;
  readonly json?: boolean;
}

interface RawFilter {
  readonly scenario?: string;
  readonly design?: string;
  readonly memory?: string;
  readonly strategy?: string;
  readonly invariant?: string;
}

interface RawExportOptions extends RawStoreOptions {
  readonly ndjson?: string;
  readonly html?: string;
  readonly junit?: string;
  readonly github?: boolean;
}

const STORE = ['--store <dir>', 'the store (default: the one that was written last)'] as const;
const JSON_OPTION = ['--json', 'print one JSON object instead of text'] as const;

/** The command. @param exit - takes the exit status. */
export function resultsCommand(exit: (status: number) => void): Command {
  const results = new Command('results')
    .description('list what campaigns have come to: executions, findings, cells')
    .enablePositionalOptions()
    .option(...STORE)
    .option('--scenario <glob>', 'only these scenarios')
    .option('--design <glob>', 'only these designs')
    .option('--memory <model>', 'only this memory model')
    .option('--strategy <glob>', 'only these strategies')
    .option('--invariant <glob>', 'only findings of these invariants')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExit status: 0 no finding, 1 findings, 2 wrong use, 3 tool failed.')
    .action(async (raw: RawStoreOptions & RawFilter) => exit(await list(raw)));
  results
    .command('show')
    .description('show a finding: the race as a table, its seeds, and who saw it')
    .argument('<id>', 'as the listing names it; its beginning is enough')
    .option(...STORE)
    .option(...JSON_OPTION)
    .action(async (id: string, raw: RawStoreOptions) => exit(await show(id, raw)));
  results
    .command('export')
    .description('write findings and cells for other tools')
    .option(...STORE)
    .option('--ndjson <file>', 'lines of JSON; - for stdout (the default)')
    .option('--html <dir>', 'an index page over all findings, and a page of each race')
    .option('--junit <file>', 'JUnit XML: a test case for each cell')
    .option('--github', 'print annotations for GitHub')
    .action(async (raw: RawExportOptions) => {
      const { exportResults } = await import('./results-export.ts');
      await exportResults(storeToRead(raw.store), raw);
      exit(EXIT_CLEAN);
    });
  results
    .command('merge')
    .description('put stores of the same plan and code together; what is there already counts once')
    .argument('<dirs...>', 'stores of gntrace campaign --shard')
    .requiredOption('--store <dir>', 'where everything goes; may hold some of it already')
    .option(...JSON_OPTION)
    .action(async (dirs: string[], raw: RawStoreOptions) => {
      const { mergeStores } = await import('../campaign/store/merge.ts');
      const into = resolve(raw.store as string);
      const sources = dirs.map((dir) => resolve(dir));
      const merged = await asUsage(() => mergeStores(sources, into));
      if (raw.json === true) print(JSON.stringify({ v: 1, store: into, ...merged }));
      else print(`${merged.added} shards added, ${merged.known} were there; kept in ${into}`);
      exit(EXIT_CLEAN);
    });
  return results;
}

async function list(raw: RawStoreOptions & RawFilter): Promise<number> {
  const dir = storeToRead(raw.store);
  const store = asUsage(() => StoreReader.open(dir));
  const cells = cellsOf(store).filter(({ cell }) => isWanted(cell, raw));
  const findings = listFindings(store).filter((listed) => isWantedFinding(listed, store, raw));
  if (raw.json === true) print(JSON.stringify(jsonOf(store, dir, cells, findings)));
  else {
    describeHead(store, cells);
    describeFindings(findings);
    describeCells(cells);
    print(`kept in ${dir}`);
  }
  await store.close();
  return findings.length > 0 ? EXIT_FINDING : EXIT_CLEAN;
}

function jsonOf(
  store: StoreReader,
  dir: string,
  cells: readonly ToldCell[],
  findings: readonly Listed[],
): object {
  const { id, name, code, plan, startedMs } = store.campaign;
  const sum = (of: (told: ToldCell) => number): number =>
    cells.reduce((total, told) => total + of(told), 0);
  return {
    v: 1,
    store: dir,
    campaign: { id, name, code, plan, startedMs, part: store.part, writer: store.writer },
    executions: sum(({ record }) => record.executions),
    steps: sum(({ record }) => record.steps),
    shards: sum(({ record }) => record.shards),
    failed: sum(({ record }) => record.failed),
    findings: findings.map(({ finding, same }) => findingJson(finding, same)),
    cells: cells.map(({ cell, record, pairs, findings: count }) =>
      cellJson(cell, record, pairs, count),
    ),
    rates: [...store.rates()].map(([minute, executions]) => ({
      atMs: minute * 60_000,
      executions,
    })),
  };
}

interface Asked {
  readonly scenario: string;
  readonly design: string;
  readonly memory: string;
  readonly strategy: string;
}

function fits(name: string, globs: string | undefined): boolean {
  return globs === undefined || matches(name, globs.split(','));
}

function isWanted(cell: Asked, { scenario, design, memory, strategy }: RawFilter): boolean {
  return (
    fits(cell.scenario, scenario) &&
    fits(cell.design, design) &&
    fits(cell.memory, memory) &&
    fits(cell.strategy, strategy)
  );
}

function isWantedFinding({ finding }: Listed, store: StoreReader, raw: RawFilter): boolean {
  const { invariant } = raw;
  if (invariant !== undefined && !matches(finding.invariant, invariant.split(','))) return false;
  const { cells } = store.campaign;
  return finding.seen.some(({ cell }) => {
    const seenBy = cells[cell];
    return seenBy !== undefined && isWanted(seenBy, raw);
  });
}

async function show(id: string, raw: RawStoreOptions): Promise<number> {
  const store = asUsage(() => StoreReader.open(storeToRead(raw.store)));
  const listed = findingWithId(listFindings(store), id);
  const { cells } = store.campaign;
  await store.close();
  if (listed === null) {
    throw new UsageError(
      `no finding, or more than one, begins with "${id}"; gntrace results lists`,
    );
  }
  const { finding, same } = listed;
  if (raw.json === true) print(JSON.stringify({ v: 1, ...findingJson(finding, same) }));
  else (await import('./results-show.ts')).showFinding(finding, same, cells);
  return EXIT_FINDING;
}
