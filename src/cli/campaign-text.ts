/** What a store holds, as a person reads it. */
import type { CellName } from '../campaign/cells/cell.ts';
import type { StoreReader } from '../campaign/store/reader.ts';
import type { CellRecord } from '../campaign/store/records.ts';
import { timesOf } from '../campaign/store/records.ts';
import { bold, green, print, red, short } from './output.ts';
import type { Listed } from './results-json.ts';
import { listFindings, replayCommand } from './results-json.ts';

/** A cell with what came of it. */
export interface ToldCell {
  readonly cell: CellName;
  readonly record: CellRecord;
  readonly pairs: number;
  readonly findings: number;
}

export function cellsOf(store: StoreReader): ToldCell[] {
  const seen = [...store.sightings()];
  return store.campaign.cells.map((cell, index) => ({
    cell,
    record: store.cell(index),
    pairs: store.pairs(index).count,
    findings: seen.filter((one) => one.seen.some((by) => by.cell === index)).length,
  }));
}

/** Prints findings and cells. */
export function describeResults(store: StoreReader, dir: string): void {
  const cells = cellsOf(store);
  const findings = listFindings(store);
  describeHead(store, cells);
  describeFindings(findings);
  describeCells(cells);
  print(`kept in ${dir}`);
}

/** Prints what it is about. */
export function describeHead(store: StoreReader, cells: readonly ToldCell[]): void {
  const executions = cells.reduce((sum, { record }) => sum + record.executions, 0);
  const { name, code } = store.campaign;
  print(`${bold(name)}  ${short(executions)} executions of ${cells.length} cells  [code ${code}]`);
}

/** Prints findings as a table. */
export function describeFindings(findings: readonly Listed[]): void {
  if (findings.length === 0) {
    print(`  ${green('nothing found')}`);
    return;
  }
  const many = findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  print(`  ${red(many)}`);
  for (const { finding, same } of findings) {
    const { id, scenario, design, invariant, message, shrunk, steps, preemptions } = finding;
    const times = [finding, ...same].reduce((sum, one) => sum + timesOf(one), 0);
    const where = [scenario, design].filter((word) => word !== '').join(' ');
    const size = shrunk ?? { steps, preemptions };
    print(`  ${id}  ${red(invariant)}  ${where}  ${short(times)} times`);
    print(`            ${message}`);
    const length = size.steps === 0 ? '' : `${size.steps} steps, ${size.preemptions} preemptions: `;
    print(`            ${length}${replayCommand(finding)}`);
  }
}

/** Prints cells as a table. */
export function describeCells(cells: readonly ToldCell[]): void {
  const rows = cells.map(({ cell, record, pairs, findings }) => [
    cell.scenario + (cell.param === 0 ? '' : `(${cell.param})`),
    cell.design,
    cell.memory,
    cell.strategy,
    record.verdict,
    short(record.executions),
    short(pairs),
    String(findings),
  ]);
  const head = ['scenario', 'design', 'memory', 'strategy', '', 'executions', 'pairs', 'findings'];
  for (const line of aligned([head, ...rows])) print(`  ${line}`);
}

/** Rows with columns of one width each; numbers to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((text, i) => (i >= 5 ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
