/** A finding of a store as a person reads it. */
import type { CellName } from '../campaign/cells/cell.ts';
import type { SightingRecord } from '../campaign/store/records.ts';
import { timesOf } from '../campaign/store/records.ts';
import { bold, print, red, short } from './output.ts';
import { printRace, recordOf } from './race-text.ts';
import { replayCommand } from './results-json.ts';
import { pasteable } from './saved.ts';
import { seededProgram } from './seeded.ts';
import { UsageError } from './usage.ts';

/** Prints a finding, with the race if its seed fits this code. */
export function showFinding(
  finding: SightingRecord,
  same: readonly SightingRecord[],
  cells: readonly CellName[],
): void {
  const { id, scenario, design, invariant, message, words, fingerprint, shrunk } = finding;
  const where = [scenario, design].filter((word) => word !== '').join(' ');
  print(`${bold(id)}  ${red(invariant)}  ${where}`);
  print(`  ${message}`);
  if (words.length > 0) print(`  words        ${words.join(', ')}`);
  print(`  fingerprint  ${shrunk?.fingerprint ?? fingerprint}`);
  for (const { cell, times } of [finding, ...same].flatMap(({ seen }) => seen)) {
    const by = cells[cell];
    if (by === undefined) continue;
    print(`  seen by      ${by.strategy}, ${by.memory}, seed ${by.seed}: ${short(times)} times`);
  }
  if (same.length > 0) {
    const ids = same.map((one) => `${one.id} (${short(timesOf(one))} times)`);
    print(`  the same as  ${ids.join(', ')}`);
  }
  const seed = shrunk?.seed ?? finding.seed;
  if (seed.startsWith('gntrace ')) {
    print(`  again        ${seed}`);
    return;
  }
  print(`  found as     ${finding.steps} steps, ${finding.preemptions} preemptions`);
  if (shrunk !== null)
    print(`  smaller      ${shrunk.steps} steps, ${shrunk.preemptions} preemptions`);
  showRace(seed);
  print(`  ${replayCommand({ ...finding, seed: pasteable(seed), shrunk: null })}`);
}

function showRace(seed: string): void {
  try {
    printRace(recordOf(seededProgram(seed)), {});
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    print(`  cannot be shown by this code: ${error.message}`);
  }
}
