/** `gntrace matrix`: every design against the races that decide between them. */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { codeVersion } from '../campaign/code-version.ts';
import type { Cell, CellName, Memory } from '../campaign/matrix/cell.ts';
import { asRun, isNamed, keyOf, knownOf, selectCells } from '../campaign/matrix/cell.ts';
import type { Attempt } from '../campaign/matrix/decide.ts';
import type { MatrixProgress } from '../campaign/matrix/run.ts';
import { runMatrix } from '../campaign/matrix/run.ts';
import { MatrixStore } from '../campaign/matrix/store.ts';
import { TaskPool } from '../campaign/task-pool.ts';
import { races } from '../corpus/races.ts';
import { interruptSignal } from './interrupt.ts';
import { writeMatrixPage } from './matrix-file.ts';
import { printMatrix } from './matrix-text.ts';
import { LiveLine, bold, complain, print } from './output.ts';
import { printRace, recordOf } from './race-text.ts';
import { seededProgram } from './seeded.ts';
import {
  EXIT_CLEAN,
  EXIT_FAILED,
  EXIT_FINDING,
  EXIT_INTERRUPTED,
  EXIT_UNDECIDED,
  UsageError,
  nearest,
  oneOf,
  positiveNumber,
  wholeNumber,
} from './usage.ts';

/** So that all of it ends within three minutes. */
const USUAL_BUDGET = '160';
/** Seconds of a cell in the first round. */
const FIRST_ROUND = 2;
/** The module by which threads decide cells. */
const TASKS = 'src/campaign/matrix/task';
const MOST_WORKERS = 64;
const MEMORIES = ['sc', 'tso', 'both'] as const;

export interface RawMatrixOptions {
  readonly budget: string;
  readonly workers?: string;
  readonly only?: string;
  readonly memory: string;
  readonly store: string;
  readonly fresh?: boolean;
  readonly html?: string;
  readonly ascii?: boolean;
  readonly json?: boolean;
}

interface MatrixRun {
  readonly wanted: readonly CellName[];
  readonly cells: ReadonlyMap<string, Cell>;
  readonly interrupted: boolean;
  /** Cells that could not be asked, and why. */
  readonly failures: readonly string[];
}

/** Adds the options that `start` and `matrix` share. */
export function withMatrixOptions(command: Command): Command {
  return command
    .option('--budget <s>', 'time for all of it, in seconds', USUAL_BUDGET)
    .option('--workers <n>', 'threads (default: one for each core)')
    .option('--only <names>', 'some races, by name or id, with commas: unmap-in-use,X1')
    .option('--memory <model>', `memory model: ${MEMORIES.join(', ')}`, 'both')
    .option('--store <dir>', 'where results are kept for the next run', '.gntrace')
    .option('--fresh', 'decide again what the store knows')
    .option('--html <file>', 'write the matrix as a page, and the races that broke beside it')
    .option('--ascii', 'show nothing beyond ASCII in the races of --only')
    .option('--json', 'print one JSON object instead of text');
}

/** The command. @param exit - takes the exit status. */
export function matrixCommand(exit: (status: number) => void): Command {
  const command = new Command('matrix').description(
    'decide every race for every design: safe, broken (with a seed), or undecided',
  );
  return withMatrixOptions(command)
    .addHelpText(
      'after',
      '\nExit status: 0 all safe, 1 something is broken, 2 wrong use, 3 tool failed,\n' +
        '125 nothing is broken and something undecided, 130 interrupted.',
    )
    .action(async (raw: RawMatrixOptions) => exit(statusOf(await showMatrix(raw))));
}

/** Runs the matrix and prints it. */
export async function showMatrix(raw: RawMatrixOptions): Promise<MatrixRun> {
  const run = await decideMatrix(raw);
  const cells = run.wanted.flatMap((name) => run.cells.get(keyOf(name)) ?? []);
  if (raw.json === true) print(JSON.stringify({ code: codeVersion(), cells }));
  else printMatrix(run.wanted, run.cells);
  if (raw.json !== true && raw.only !== undefined) printRaces(cells, raw.ascii === true);
  if (raw.html !== undefined) writeMatrixPage(raw.html, run.wanted, cells, raw.json === true);
  for (const failure of run.failures) complain(`could not ask ${failure}`);
  return run;
}

async function decideMatrix(raw: RawMatrixOptions): Promise<MatrixRun> {
  const wanted = selectCells(readSelection(raw));
  const seconds = positiveNumber(raw.budget, '--budget', 1e6);
  const workers = readWorkers(raw.workers);
  const store = new MatrixStore(resolve(raw.store, 'matrix'), codeVersion());
  const cells = new Map<string, Cell>();
  const open: CellName[] = [];
  const cellsToRun = new Map(wanted.map((name) => [keyOf(asRun(name)), asRun(name)]));
  for (const name of cellsToRun.values()) {
    const known = raw.fresh === true ? undefined : store.get(name);
    if (known === undefined) open.push(name);
    else cells.set(keyOf(name), known);
  }
  if (open.length === 0)
    return { wanted, cells: withSame(wanted, cells), interrupted: false, failures: [] };
  const line = new LiveLine();
  const { signal, forget } = interruptSignal();
  const pool = new TaskPool<Attempt, Cell>(TASKS, Math.min(workers, open.length));
  const onCell = (cell: Cell): void => {
    cells.set(keyOf(cell), cell);
    if (cell.verdict !== 'undecided') store.put(cell);
  };
  const failures: string[] = [];
  const onFailure = (cell: CellName, error: unknown): void => {
    failures.push(`${keyOf(cell)}: ${error instanceof Error ? error.message : String(error)}`);
  };
  const budget = { seconds, firstRound: Math.min(FIRST_ROUND, seconds), signal };
  try {
    line.show(progressText({ decided: 0, cells: open.length, secondsLeft: seconds }));
    const onProgress = (progress: MatrixProgress): void => line.show(progressText(progress));
    const ended = runMatrix(open, isPast, pool, budget, onCell, onProgress, onFailure);
    await Promise.race([ended, aborted(signal)]);
  } finally {
    line.clear();
    forget();
    await pool.close();
  }
  return { wanted, cells: withSame(wanted, cells), interrupted: signal.aborted, failures };
}

/** The cells that are wanted, those among them that others were run for. */
function withSame(
  wanted: readonly CellName[],
  cells: ReadonlyMap<string, Cell>,
): ReadonlyMap<string, Cell> {
  const all = new Map<string, Cell>();
  for (const name of wanted) {
    const cell = knownOf(name, cells);
    if (cell !== undefined) all.set(keyOf(name), cell);
  }
  return all;
}

/** Is the cell's race one of the past? */
function isPast({ race }: CellName): boolean {
  return races.some(({ name, bug }) => name === race && bug !== undefined);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => signal.addEventListener('abort', () => done()));
}

function progressText({ decided, cells, secondsLeft }: MatrixProgress): string {
  const done = Math.round((decided / cells) * 20);
  const bar = `${'#'.repeat(done)}${'.'.repeat(20 - done)}`;
  return `[${bar}] ${decided} of ${cells} cells decided, at most ${Math.ceil(secondsLeft)} s left`;
}

/** Each race that broke something, once: cells that break alike share their table. */
function printRaces(cells: readonly Cell[], ascii: boolean): void {
  const told = new Set<string>();
  for (const { race, design, memory, seed } of cells) {
    if (seed === undefined) continue;
    const record = recordOf(seededProgram(seed));
    const same = `${race} ${record.fingerprint}`;
    if (told.has(same)) continue;
    told.add(same);
    print('');
    print(bold(`${race} ${design} ${memory}`));
    printRace(record, { ascii });
    print(`  replay  ${record.replay}`);
  }
}

function readSelection(raw: RawMatrixOptions): { only: string[]; memories: Memory[] } {
  const memory = oneOf(raw.memory, MEMORIES, 'memory model');
  const memories: Memory[] = memory === 'both' ? ['sc', 'tso'] : [memory as Memory];
  const only = raw.only === undefined ? [] : raw.only.split(',').map((text) => text.trim());
  for (const text of only) {
    if (races.some((race) => isNamed(race, text))) continue;
    const near = nearest(
      text,
      races.map(({ name }) => name),
    );
    const hint = near === undefined ? 'gntrace list names them all' : `did you mean ${near}?`;
    throw new UsageError(`no race called "${text}": ${hint}`);
  }
  return { only, memories };
}

function readWorkers(text: string | undefined): number {
  if (text === undefined) return Math.min(availableParallelism(), MOST_WORKERS);
  const workers = wholeNumber(text, '--workers', 1);
  if (workers <= MOST_WORKERS) return workers;
  throw new UsageError(`--workers can be at most ${MOST_WORKERS}, not ${text}`);
}

/** The exit status of a matrix. */
export function statusOf({ wanted, cells, interrupted, failures }: MatrixRun): number {
  const verdicts = wanted.map((name) => cells.get(keyOf(name))?.verdict ?? 'undecided');
  if (interrupted) return EXIT_INTERRUPTED;
  if (failures.length > 0) return EXIT_FAILED;
  if (verdicts.includes('broken')) return EXIT_FINDING;
  return verdicts.includes('undecided') ? EXIT_UNDECIDED : EXIT_CLEAN;
}

/** Where `start` puts the page. */
export const USUAL_PAGE = join('.gntrace', 'matrix.html');
