/** `gntrace litmus`: runs herd's litmus tests and prints what herd would. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { LitmusError } from '../litmus/litmus-error.ts';
import type { LitmusTest } from '../litmus/litmus-test.ts';
import { readLitmus } from '../litmus/read.ts';
import { isDecided, litmusReport } from '../litmus/report.ts';
import type { LitmusResult } from '../litmus/run.ts';
import { runLitmus } from '../litmus/run.ts';
import { print } from './output.ts';
import {
  EXIT_CLEAN,
  EXIT_FINDING,
  EXIT_UNDECIDED,
  UsageError,
  oneOf,
  wholeNumber,
} from './usage.ts';

const MEMORIES = ['sc', 'tso'] as const;

interface RawOptions {
  readonly memory: string;
  readonly executions?: string;
  readonly json?: boolean;
}

interface NamedTest {
  readonly file: string;
  readonly test: LitmusTest;
}

/** The command. @param exit - takes the exit status. */
export function litmusCommand(exit: (status: number) => void): Command {
  return new Command('litmus')
    .description("run herd's litmus tests (x86, the kernel's C) on every schedule")
    .argument('<file...>', 'files in the format of the herd tools')
    .option('--memory <model>', `memory model: ${MEMORIES.join(', ')}`, 'sc')
    .option('--executions <n>', 'stop after so many interleavings of a test (default: all)')
    .option('--json', 'print one JSON array instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 every condition is true (Ok), 1 one is not (No), 2 wrong use or' +
        '\na file that cannot be read, 3 tool failed, 125 undecided.',
    )
    .action((files: readonly string[], raw: RawOptions) => {
      const memory = oneOf(raw.memory, MEMORIES, 'memory model') as 'sc' | 'tso';
      const executions =
        raw.executions === undefined
          ? Number.MAX_SAFE_INTEGER
          : wholeNumber(raw.executions, '--executions', 1);
      const results = readAll(files).map(({ file, test }) => {
        const result = runLitmus(test, memory, executions);
        if (raw.json !== true) print(litmusReport(result));
        return { file, result };
      });
      if (raw.json === true) print(JSON.stringify(results.map(jsonOf)));
      exit(statusOf(results.map(({ result }) => result)));
    });
}

/** Reads all files before any is run: a file that cannot be read is wrong use. */
function readAll(files: readonly string[]): NamedTest[] {
  const faults: string[] = [];
  const tests: NamedTest[] = [];
  for (const file of files) {
    try {
      tests.push({ file, test: readLitmus(readFileSync(file, 'utf8')) });
    } catch (error) {
      faults.push(faultOf(file, error));
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join('; '));
  return tests;
}

function faultOf(file: string, error: unknown): string {
  if (error instanceof LitmusError) return `${file}:${error.line}: ${error.message}`;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) throw error;
  return `${file}: ${code === 'ENOENT' ? 'there is no such file' : code}`;
}

function statusOf(results: readonly LitmusResult[]): number {
  if (!results.every(isDecided)) return EXIT_UNDECIDED;
  return results.every((result) => result.ok) ? EXIT_CLEAN : EXIT_FINDING;
}

function jsonOf({ file, result }: { file: string; result: LitmusResult }): object {
  const { name, memory, states, condition, observation, ok, positive, negative } = result;
  const { exhausted, executions, seconds } = result;
  return {
    file,
    name,
    memory,
    states,
    condition,
    verdict: observation,
    ok,
    positive,
    negative,
    exhausted,
    executions,
    seconds,
  };
}
