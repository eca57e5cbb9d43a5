/**
 * Runs the matrix: cells go to threads in rounds. In the first round each cell has a short time, so
 * that everything easy is decided at once; what stays undecided comes again with twice the time,
 * until the budget is spent. The questions go before the races of the past.
 */
import type { Cell, CellName } from './cell.ts';
import type { Attempt } from './decide.ts';

/** Decides attempts; as many at a time as it has workers. */
export interface Decider {
  readonly workers: number;
  run(attempt: Attempt): Promise<Cell>;
}

export interface MatrixBudget {
  /** For the whole matrix. */
  readonly seconds: number;
  /** Time of a cell in the first round. */
  readonly firstRound: number;
  readonly signal: AbortSignal;
}

/** How far the run has come. */
export interface MatrixProgress {
  readonly decided: number;
  readonly cells: number;
  readonly secondsLeft: number;
}

interface Waiting {
  readonly cell: CellName;
  readonly round: number;
  readonly order: number;
}

/** Rounds that races of the past wait for the questions, and TSO for sequential consistency. */
const PAST_WAITS = 1;
const TSO_WAITS = 1;

/**
 * @param cells - undecided ones, the most important first.
 * @param isPast - is the cell's race one of the past?
 * @param onCell - told of every cell after each of its rounds.
 * @param onProgress - told whenever a round of a cell ends.
 * @param onFailure - told when a cell could not be asked; the others go on.
 */
export async function runMatrix(
  cells: readonly CellName[],
  isPast: (cell: CellName) => boolean,
  decider: Decider,
  { seconds, firstRound, signal }: MatrixBudget,
  onCell: (cell: Cell) => void,
  onProgress: (progress: MatrixProgress) => void,
  onFailure: (cell: CellName, error: unknown) => void,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  const left = (): number => (deadline - performance.now()) / 1000;
  const waiting: Waiting[] = cells.map((cell, order) => ({ cell, round: 0, order }));
  let decided = 0;
  const rank = ({ cell, round }: Waiting): number =>
    round + (isPast(cell) ? PAST_WAITS : 0) + (cell.memory === 'tso' ? TSO_WAITS : 0);
  const take = (): Waiting | undefined => {
    waiting.sort((a, b) => rank(a) - rank(b) || a.order - b.order);
    return waiting.shift();
  };
  const attempt = async (what: Attempt): Promise<Cell | null> => {
    try {
      const result = await decider.run(what);
      onCell(result);
      return result;
    } catch (error) {
      onFailure(what.cell, error);
      return null;
    }
  };
  const work = async (): Promise<void> => {
    for (let next = take(); next !== undefined; next = take()) {
      const { cell, round, order } = next;
      const slice = Math.min(firstRound * 2 ** round, left());
      if (slice < firstRound / 2 || signal.aborted) return;
      const result = await attempt({ cell, seconds: slice, seed: round + 1 });
      if (result?.verdict === 'undecided') waiting.push({ cell, round: round + 1, order });
      else if (result !== null) decided++;
      onProgress({ decided, cells: cells.length, secondsLeft: Math.max(0, left()) });
    }
  };
  await Promise.all(Array.from({ length: decider.workers }, work));
}
