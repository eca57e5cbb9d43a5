/** What becomes of a suite's results: a table, --json, --html and --compare. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { print } from '../src/cli/output.ts';
import { compareReports } from './compare.ts';
import { pageOf } from './page.ts';
import type { Result } from './results.ts';
import { readReport, reportOf } from './results.ts';
import { hostLines } from './table.ts';

interface RawOutput {
  readonly json?: boolean;
  readonly html?: string;
  readonly compare?: string;
}

/** Where a suite's results go. */
export interface Output {
  /** A line for people, on stderr. */
  note(line: string): void;
  /** The results, once. */
  report(
    results: readonly Result[],
    noise: number,
    seconds: number,
    table: (results: readonly Result[]) => string[],
  ): void;
}

function outputOf(raw: RawOutput): Output {
  const earlier = raw.compare === undefined ? undefined : readReport(raw.compare);
  return {
    note(line) {
      process.stderr.write(`${line}\n`);
    },
    report(results, noise, seconds, table) {
      const report = reportOf(results, noise, seconds);
      if (raw.html !== undefined) writeFileSync(raw.html, pageOf(report));
      if (raw.json === true) {
        print(JSON.stringify(report));
        return;
      }
      for (const line of table(results)) print(line);
      print('');
      for (const line of hostLines(report)) print(line);
      if (raw.html !== undefined) print(`page: ${raw.html}`);
      if (earlier !== undefined) {
        print('');
        for (const line of compareReports(earlier, report)) print(line);
      }
    },
  };
}

/** Gives a suite's command the options of its output, and its action. */
export function withOutput<Raw>(
  command: Command,
  run: (raw: Raw, output: Output) => Promise<void>,
): Command {
  return command
    .option('--json', 'print one JSON object instead of text')
    .option('--html <file>', 'write a page with curves, which opens from disk')
    .option('--compare <file>', 'compare with the JSON of an earlier run')
    .action(async (raw: Raw & RawOutput) => {
      await run(raw, outputOf(raw));
    });
}
