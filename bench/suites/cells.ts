/** The cells of the table of lookups: which combinations of the axes are measured. */
import type { Distribution } from '../keys.ts';
import type { LookupName } from '../lookup-names.ts';
import type { VariantName } from '../lookups.ts';
import type { Sharing } from '../sequences.ts';

/** The values of each axis. */
export interface Axes {
  readonly lookups: readonly LookupName[];
  readonly variants: readonly VariantName[];
  readonly entries: readonly number[];
  readonly vmas: readonly number[];
  readonly distributions: readonly Distribution[];
  readonly sharings: readonly Sharing[];
  readonly batches: readonly number[];
  readonly readers: readonly number[];
  readonly writers: readonly number[];
  readonly changes: readonly number[];
}

/** What is measured within one machine. */
export interface Cell {
  readonly distribution: Distribution;
  readonly sharing: Sharing;
  readonly batch: number;
  readonly readers: number;
  readonly writer: number;
  readonly changes: number;
}

/** A machine, and the cells that it is for. */
export interface Station {
  readonly lookup: LookupName;
  readonly entries: number;
  readonly vmas: number;
  readonly cells: readonly Cell[];
}

function first<T>(values: readonly T[]): T {
  return values[0] as T;
}

/** Every combination of the axes within a machine. */
function crossed(axes: Axes): Cell[] {
  const { distributions, sharings, batches, readers, writers, changes } = axes;
  return distributions.flatMap((distribution) =>
    sharings.flatMap((sharing) =>
      batches.flatMap((batch) =>
        readers.flatMap((count) =>
          writers.flatMap((writer) =>
            changes.map((change) => {
              return { distribution, sharing, batch, readers: count, writer, changes: change };
            }),
          ),
        ),
      ),
    ),
  );
}

/** The cell of the first values, and those that differ from it along one axis. */
function star(axes: Axes): Cell[] {
  const one = (over: Partial<Axes>): Cell[] =>
    crossed({
      ...axes,
      distributions: [first(axes.distributions)],
      sharings: [first(axes.sharings)],
      batches: [first(axes.batches)],
      readers: [first(axes.readers)],
      writers: [first(axes.writers)],
      changes: [first(axes.changes)],
      ...over,
    });
  const most = [Math.max(...axes.readers)];
  return [
    ...one({ batches: axes.batches }),
    ...one({ distributions: axes.distributions.slice(1) }),
    ...one({ readers: axes.readers.slice(1) }),
    ...one({ sharings: axes.sharings.slice(1), readers: most }),
    ...one({ writers: axes.writers.slice(1), readers: axes.readers }),
    ...one({ changes: axes.changes.slice(1), readers: most }),
  ];
}

/**
 * The machines, with their cells.
 * @param cross - every combination; else one axis at a time, from the first value of each.
 */
export function stationsOf(axes: Axes, cross: boolean): Station[] {
  const { lookups, entries, vmas } = axes;
  if (cross) {
    const cells = crossed(axes);
    return lookups.flatMap((lookup) =>
      entries.flatMap((n) => vmas.map((m) => ({ lookup, entries: n, vmas: m, cells }))),
    );
  }
  const cells = star(axes);
  const base = cells.slice(0, 1);
  return lookups.flatMap((lookup) => [
    { lookup, entries: first(entries), vmas: first(vmas), cells },
    ...entries.slice(1).map((n) => ({ lookup, entries: n, vmas: first(vmas), cells: base })),
    ...(lookup.startsWith('vma-pages')
      ? vmas.slice(1).map((m) => ({ lookup, entries: first(entries), vmas: m, cells: base }))
      : []),
  ]);
}
