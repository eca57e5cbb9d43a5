/** `gntrace conform`: recordings of a real Xen and Linux, played on the simulated kernel. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { bootStand } from '../conform/machine.ts';
import type { Result } from '../conform/play.ts';
import { playCase } from '../conform/play.ts';
import type { Recording } from '../conform/recording.ts';
import { RecordingError, readRecordings } from '../conform/recording.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { LiveLine, green, print, red } from './output.ts';
import { EXIT_CLEAN, EXIT_FINDING, EXIT_UNDECIDED, UsageError, nearest, oneOf } from './usage.ts';

interface RawOptions {
  readonly case?: string;
  readonly design: string;
  readonly json?: boolean;
}

/** The command. @param exit - takes the exit status. */
export function conformCommand(exit: (status: number) => void): Command {
  return new Command('conform')
    .description('play recordings of a real Xen and Linux, and compare every step')
    .argument('<file...>', 'recordings, such as test/golden/*.json')
    .option('--case <name>', 'play this case only')
    .option(
      '--design <name>',
      `design of grant mapping: ${EVERY_DESIGN.join(', ')}`,
      'find-normal-page',
    )
    .option('--json', 'print one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 every case agrees, 1 one differs, 2 wrong use or a file that is no' +
        '\nrecording, 3 tool failed, 125 none differs but some need what is not simulated.',
    )
    .action((files: readonly string[], raw: RawOptions) => {
      const design = oneOf(raw.design, EVERY_DESIGN, 'design');
      const chosen = casesNamed(readAll(files), raw.case);
      const results = playAll(chosen, design, raw.json !== true);
      if (raw.json === true) print(JSON.stringify(reportOf(results, design)));
      else print(summary(results));
      exit(statusOf(results));
    });
}

/** Reads all files before any is played: a file that cannot be read is wrong use. */
function readAll(files: readonly string[]): Recording[] {
  const faults: string[] = [];
  const recordings: Recording[] = [];
  for (const file of files) {
    try {
      recordings.push(...readRecordings(readFileSync(file, 'utf8')));
    } catch (error) {
      faults.push(`${file}: ${faultOf(error)}`);
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join('; '));
  if (recordings.length === 0) throw new UsageError(`no recordings in ${files.join(', ')}`);
  return recordings;
}

function faultOf(error: unknown): string {
  if (error instanceof RecordingError) return error.message;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) throw error;
  return code === 'ENOENT' ? 'there is no such file' : code;
}

function casesNamed(recordings: readonly Recording[], name: string | undefined): Recording[] {
  if (name === undefined) return [...recordings];
  const chosen = recordings.filter((recording) => recording.case === name);
  if (chosen.length > 0) return chosen;
  const near = nearest(name, [...new Set(recordings.map((recording) => recording.case))]);
  const hint = near === undefined ? '' : `: did you mean ${near}?`;
  throw new UsageError(`no case called "${name}"${hint}`);
}

function playAll(recordings: readonly Recording[], design: string, text: boolean): Result[] {
  const live = new LiveLine();
  const stand = bootStand(design);
  const width = Math.max(...recordings.map((recording) => recording.case.length));
  const results = recordings.map((recording, i) => {
    live.show(`${i} of ${recordings.length}: ${recording.case}`);
    const result = playCase(stand, recording);
    live.clear();
    if (text) print(lineOf(result, width));
    return result;
  });
  return results;
}

/** A line a case; for a difference, the step and both values. */
function lineOf(result: Result, width: number): string {
  const head = `${result.case.padEnd(width)}  ${result.env.granter.padEnd(8)}  `;
  if (result.verdict === 'agree') return `${head}${green('agree')}  ${result.steps} steps`;
  const { difference, unsupported } = result;
  if (difference !== null) {
    const { step, actor, op, field, expected, seen } = difference;
    const values = `expected ${JSON.stringify(expected)}, seen ${JSON.stringify(seen)}`;
    return `${head}${red('differ')}  step ${step} (${actor}: ${op}), ${field}: ${values}`;
  }
  const { step = 0, actor = '', op = '', reason = '' } = unsupported ?? {};
  return `${head}unsupported  step ${step} (${actor}: ${op}): ${reason}`;
}

function count(results: readonly Result[], verdict: Result['verdict']): number {
  return results.filter((result) => result.verdict === verdict).length;
}

function summary(results: readonly Result[]): string {
  const parts = (['agree', 'differ', 'unsupported'] as const).map(
    (verdict) => `${count(results, verdict)} ${verdict}`,
  );
  return `${results.length} cases: ${parts.join(', ')}`;
}

/** The object that --json prints; docs/conformance.md describes it. */
function reportOf(results: readonly Result[], design: string): object {
  return {
    design,
    cases: results.length,
    agree: count(results, 'agree'),
    differ: count(results, 'differ'),
    unsupported: count(results, 'unsupported'),
    results,
  };
}

function statusOf(results: readonly Result[]): number {
  if (count(results, 'differ') > 0) return EXIT_FINDING;
  return count(results, 'unsupported') > 0 ? EXIT_UNDECIDED : EXIT_CLEAN;
}
