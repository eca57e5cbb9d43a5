/**
 * The fuzzer: programs from chance under schedules from a strategy. A program whose schedules show
 * an ordered pair of accesses that nobody has seen joins the corpus, from which the next programs
 * are made. What breaks is shrunk, and told once for each invariant, words and code places.
 *
 * The same options give the same programs, schedules and findings, unless time ends the run.
 */
import { Random } from '../../explore/random.ts';
import { PairCoverage } from '../coverage.ts';
import { mutateProgram, newProgram, usualSize } from './generate.ts';
import type { ProgramSize } from './generate.ts';
import type { FuzzProgram } from '../../corpus/fuzz/grammar.ts';
import type { Breakage, RunOptions } from './run-program.ts';
import { coarseKey, runProgram } from './run-program.ts';
import type { ShrinkBudget } from './shrink-program.ts';
import { shrinkProgram, usualBudget } from './shrink-program.ts';

/** What to fuzz, and how long. */
export interface FuzzOptions extends Omit<RunOptions, 'executions'> {
  /** Executions at most, those of shrinking apart. */
  readonly executions: number;
  readonly seconds: number;
  readonly size?: ProgramSize;
  readonly shrink?: ShrinkBudget;
  /** Told of each new finding. */
  readonly onFinding?: (finding: FuzzFinding) => void;
  /** Told after each program. @returns true to stop. */
  readonly onProgress?: (progress: FuzzProgress) => boolean;
}

export interface FuzzProgress {
  readonly programs: number;
  readonly executions: number;
  readonly steps: number;
  /** Ordered pairs seen. */
  readonly pairs: number;
  /** Programs that showed something new. */
  readonly corpus: number;
  readonly findings: number;
}

/** One finding, shrunk, and how often something like it was seen. */
export interface FuzzFinding extends Breakage {
  readonly minimal: boolean;
  /** The execution in which it was found. */
  readonly execution: number;
  times: number;
}

export interface FuzzResult extends FuzzProgress {
  readonly list: readonly FuzzFinding[];
}

/** Schedules of a program at first. */
const SCHEDULES = 12;
const CORPUS_LIMIT = 1024;
/** Like breakages that are shrunk to see whether they are another finding. */
const SHRINKS_OF_A_KIND = 4;

class Session {
  private readonly options: FuzzOptions;
  private readonly random = new Random();
  private readonly coverage = new PairCoverage();
  private readonly corpus: FuzzProgram[] = [];
  private readonly findings = new Map<string, FuzzFinding>();
  /** Of each invariant with its words: breakages that were shrunk. */
  private readonly shrinks = new Map<string, number>();
  private programs = 0;
  private executions = 0;
  private steps = 0;
  private joined = 0;

  constructor(options: FuzzOptions) {
    this.options = options;
  }

  /** One program. */
  next(): void {
    const { random, coverage, corpus, options } = this;
    random.reseed(options.seed, this.programs++);
    const program = this.program();
    const seed = random.bits() >>> 0;
    const left = options.executions - this.executions;
    const run = { ...options, seed, executions: Math.min(SCHEDULES, left), most: left };
    const before = coverage.count;
    const { executions, steps, breakage } = runProgram(program, run, coverage);
    this.executions += executions;
    this.steps += steps;
    if (breakage !== null) this.broke(breakage, run);
    else if (coverage.count > before) corpus[this.joined++ % CORPUS_LIMIT] = program;
  }

  private program(): FuzzProgram {
    const { random, corpus, options } = this;
    const size = options.size ?? usualSize;
    if (corpus.length === 0 || random.below(4) === 0) return newProgram(random, size);
    const pick = (): FuzzProgram => corpus[random.below(corpus.length)] as FuzzProgram;
    return mutateProgram(random, pick(), pick());
  }

  private broke(breakage: Breakage, run: RunOptions): void {
    const kind = coarseKey(breakage);
    const tried = this.shrinks.get(kind) ?? 0;
    this.shrinks.set(kind, tried + 1);
    const known = this.findings.get(breakage.key) ?? this.ofKind(kind);
    if (known !== undefined && tried >= SHRINKS_OF_A_KIND) {
      known.times++;
      return;
    }
    const shrunk = shrinkProgram(breakage, run, this.options.shrink ?? usualBudget);
    const same = this.findings.get(shrunk.breakage.key);
    if (same !== undefined) {
      same.times++;
      return;
    }
    const { minimal } = shrunk;
    const finding = { ...shrunk.breakage, minimal, execution: this.executions, times: 1 };
    this.findings.set(finding.key, finding);
    this.options.onFinding?.(finding);
  }

  private ofKind(kind: string): FuzzFinding | undefined {
    return [...this.findings.values()].find((finding) => coarseKey(finding) === kind);
  }

  progress(): FuzzProgress {
    return {
      programs: this.programs,
      executions: this.executions,
      steps: this.steps,
      pairs: this.coverage.count,
      corpus: this.corpus.length,
      findings: this.findings.size,
    };
  }

  result(): FuzzResult {
    return { ...this.progress(), list: [...this.findings.values()] };
  }
}

/** Fuzzes a design until the budget is spent or somebody stops it. */
export function fuzz(options: FuzzOptions): FuzzResult {
  const session = new Session(options);
  const until = performance.now() + options.seconds * 1000;
  while (session.progress().executions < options.executions && performance.now() < until) {
    session.next();
    if (options.onProgress?.(session.progress()) === true) break;
  }
  return session.result();
}
