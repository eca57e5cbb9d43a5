/**
 * A cell of an exhaustive strategy. The search goes in rounds: up to WIDTH parts of what is left
 * are explored for a number of executions each; when all of them are back, what is left of them is
 * put together in their order. So the course of the search depends on nobody's speed. Shard numbers
 * go on from round to round.
 *
 * A round in which something broke is the last one: below a state that must not be, a search has
 * nothing to prove.
 */
import type { Part } from '../../explore/portion.ts';
import type { Stock } from '../stock.ts';
import { restoredStock, wholeStock } from '../stock.ts';
import type { Left, Work } from '../work.ts';
import type {
  CellMemory,
  CellName,
  CellRun,
  DoneShard,
  SearchState,
  Shard,
  ShardEnd,
  ToKeep,
  Verdict,
} from './cell.ts';
import { doneShard } from './cell.ts';

/** Parts of a round. */
const WIDTH = 16;
/** Executions of the first part; with each round four times as many, as far as steps allow. */
const FIRST_EXECUTIONS = 20;
const GROWTH = 4;
/** Steps of a shard: some seconds. */
const SHARD_STEPS = 2_000_000;
const MOST_EXECUTIONS = 1_000_000;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

interface Piece {
  readonly part: Part;
  readonly executions: number;
}

export class SearchCell implements CellRun {
  private readonly cell: CellName;
  private stock: Stock;
  private state: SearchState;
  private pieces: readonly Piece[] = [];
  private readonly given = new Set<number>();
  private ended = new Map<number, DoneShard>();
  private readonly left = new Map<number, Left>();
  verdict: Verdict;

  /** @param mine - false: another machine searches this cell. */
  constructor(cell: CellName, mine: boolean, memory: CellMemory) {
    this.cell = cell;
    this.state = memory.search ?? {
      round: 0,
      first: 0,
      stock: wholeStock(cell.strategy).save(),
      executions: 0,
      steps: 0,
    };
    this.stock = restoredStock(this.state.stock);
    this.verdict = memory.verdict;
    if (this.verdict !== 'open' || (!mine && memory.search === null)) return;
    this.openRound();
    for (const [number, done] of memory.done) {
      if (number < this.state.first) continue;
      this.given.add(number);
      this.ended.set(number, done);
    }
    for (const [number, left] of memory.left) this.left.set(number, left);
    if (this.isRoundOver()) this.closeRound();
  }

  private openRound(): void {
    const { executions: most } = this.cell;
    this.pieces = [];
    this.given.clear();
    this.ended = new Map();
    this.left.clear();
    const budget = most === null ? NO_LIMIT : most - this.state.executions;
    if (budget <= 0) return;
    const parts: Part[] = [];
    while (parts.length < Math.min(WIDTH, budget)) {
      const part = this.stock.next();
      if (part === null) break;
      parts.push(part);
    }
    const usual = this.usualExecutions();
    this.pieces = parts.map((part, i) => ({
      part,
      executions: Math.min(usual, shareOf(budget, parts.length, i)),
    }));
  }

  private usualExecutions(): number {
    const { round, executions, steps } = this.state;
    const fitting = Math.floor(SHARD_STEPS / Math.max(steps / Math.max(executions, 1), 1));
    const grown = FIRST_EXECUTIONS * GROWTH ** Math.min(round, 12);
    return Math.min(Math.max(fitting, FIRST_EXECUTIONS), grown, MOST_EXECUTIONS);
  }

  get ready(): boolean {
    return this.verdict === 'open' && this.given.size < this.pieces.length;
  }

  get progress(): number | null {
    if (this.verdict !== 'open') return 1;
    const { executions } = this.cell;
    return executions === null ? null : Math.min(this.state.executions / executions, 1);
  }

  next(): Shard | null {
    if (!this.ready) return null;
    for (let i = 0; ; i++) {
      const number = this.state.first + i;
      if (this.given.has(number)) continue;
      this.given.add(number);
      return { number, work: this.workOf(this.pieces[i] as Piece) };
    }
  }

  private workOf({ part, executions }: Piece): Work {
    const { executions: most, ...question } = this.cell;
    return { kind: 'search', question, part, executions, most };
  }

  putBack({ number }: Shard): void {
    this.given.delete(number);
  }

  done({ number }: Shard, end: ShardEnd): ToKeep {
    if (number < this.state.first || this.ended.has(number)) {
      return { search: null, verdict: this.verdict };
    }
    this.ended.set(number, doneShard(end));
    if ('result' in end && end.result.left !== null) this.left.set(number, end.result.left);
    if (!this.isRoundOver()) return { search: null, verdict: this.verdict };
    this.closeRound();
    return { search: this.state, verdict: this.verdict };
  }

  private isRoundOver(): boolean {
    return this.pieces.length > 0 && this.ended.size === this.pieces.length;
  }

  private closeRound(): void {
    const { state, pieces, ended } = this;
    const all = [...ended.values()];
    const sum = (of: (done: DoneShard) => number): number =>
      all.reduce((total, done) => total + of(done), 0);
    const lefts = pieces.map((_, i) => this.left.get(state.first + i));
    const chooses = lefts.some((left) => left?.share?.chooses === true);
    pieces.forEach(({ part }, i) => {
      const left = lefts[i];
      if (left !== undefined) this.stock.takeBack(part, left);
    });
    const run = sum(({ executions, blocked, discarded }) => executions + blocked + discarded);
    this.state = {
      round: state.round + 1,
      first: state.first + pieces.length,
      stock: this.stock.save(),
      executions: state.executions + run,
      steps: state.steps + sum(({ steps }) => steps),
    };
    this.stock = restoredStock(this.state.stock);
    if (all.some(({ broke }) => broke)) this.verdict = 'broken';
    else if (all.some(({ failed }) => failed)) this.verdict = 'failed';
    else if (chooses) this.verdict = all.every(({ exhausted }) => exhausted) ? 'safe' : 'undecided';
    else this.goOn();
  }

  private goOn(): void {
    this.openRound();
    if (this.pieces.length > 0) return;
    this.verdict = this.stock.next() === null ? 'safe' : 'undecided';
  }
}

/** The share of one of several in a whole number. */
function shareOf(whole: number, of: number, index: number): number {
  return Math.floor(whole / of) + (index < whole % of ? 1 : 0);
}
