/** Races of many findings as a table for terminals. */
import type { FoundRace } from './findings.ts';
import { rateText } from './findings.ts';
import type { Line, Marks } from './lines.ts';
import { cut, printable, wrapped } from './lines.ts';

const COLUMNS = [3, 9, 8, 6, 8] as const;
const HEADS = ['#', 'findings', 'preempt.', 'steps', 'rate'] as const;
const GAP = '  ';
/** Places at which a race shows that are named; the others are counted. */
const MOST_PLACES = 4;

/** The table; commands are not cut, so that they can be pasted. */
export function findingsTable(
  races: readonly FoundRace[],
  { width, ascii }: { readonly width: number; readonly ascii: boolean },
  marks: Marks,
): Line[] {
  const indent = row(HEADS).length + GAP.length;
  const room = Math.max(width - indent, 20);
  const lines: Line[] = [{ text: `${row(HEADS)}${GAP}race, where, replay`, style: 'title' }];
  races.forEach((race, i) => {
    const { findings, shortest, rate, fingerprint, where, message } = race;
    const figures = [i + 1, findings, shortest.preemptions, shortest.steps, rateText(rate)];
    const [first = '', ...rest] = wrapped(fingerprint, room);
    const more = where.length > MOST_PLACES ? [`and ${where.length - MOST_PLACES} more`] : [];
    const places = [...where.slice(0, MOST_PLACES), ...more].flatMap((text) => wrapped(text, room));
    lines.push(
      { text: row(figures.map(String)) + GAP + first, style: 'race' },
      ...indented(rest, indent, 'race'),
      ...indented(wrapped(message, room), indent, 'plain'),
      ...indented(places, indent, 'quiet'),
    );
  });
  const safe = lines.map(({ text, style }) => ({
    text: cut(printable(text, ascii).trimEnd(), width, marks),
    style,
  }));
  const commands = races.flatMap(({ shortest: { replay, page } }, i): Line[] => [
    { text: printable(`${String(i + 1).padStart(COLUMNS[0])}  ${replay}`, ascii), style: 'plain' },
    ...(page === null ? [] : [{ text: printable(`     ${page}`, ascii), style: 'quiet' } as const]),
  ]);
  return [...safe, { text: '', style: 'plain' }, ...commands];
}

function indented(texts: readonly string[], by: number, style: Line['style']): Line[] {
  return texts.map((text) => ({ text: ' '.repeat(by) + text, style }));
}

function row(cells: readonly string[]): string {
  return cells.map((text, i) => text.padStart(COLUMNS[i] ?? 0)).join(GAP);
}
