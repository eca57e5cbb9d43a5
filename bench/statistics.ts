/**
 * What is said of repeated measurements: the median and how far they spread, and whether two sets
 * of them differ by more than chance.
 */

/** The value below which a share of the sorted values lies, interpolated. @param share - 0 … 1. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (above - below) * (place - low);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The middle half of the values, as a share of the median: 0 if all are alike. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  if (middle === 0) return 0;
  return (quantile(values, 0.75) - quantile(values, 0.25)) / Math.abs(middle);
}

/** Ranks from 1; equal values share the mean of theirs. */
function ranksOf(values: readonly number[]): { ranks: number[]; ties: number[] } {
  const order = values.map((value, i) => ({ value, i })).sort((a, b) => a.value - b.value);
  const ranks = values.map(() => 0);
  const ties: number[] = [];
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && order[to]?.value === order[from]?.value) to++;
    for (let k = from; k < to; k++) ranks[(order[k] as { i: number }).i] = (from + to + 1) / 2;
    ties.push(to - from);
    from = to;
  }
  return { ranks, ties };
}

/**
 * The Mann-Whitney U test, two-sided: could both sets come from one distribution? Nothing is
 * assumed about its shape. Exact for small sets without ties, else by the normal distribution with
 * corrections for ties and continuity.
 * @returns the probability of a difference at least this large by chance; 1 if a set is empty.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 1;
  const { ranks, ties } = ranksOf([...a, ...b]);
  const sum = ranks.slice(0, a.length).reduce((total, rank) => total + rank, 0);
  const u = sum - (a.length * (a.length + 1)) / 2;
  const least = Math.min(u, a.length * b.length - u);
  const tied = ties.some((count) => count > 1);
  if (!tied && a.length * b.length <= 400) return exact(a.length, b.length, least);
  return byNormal(a.length, b.length, least, ties);
}

/** Orders of n and m values by their U, counted. @returns P(U <= u), twice, at most 1. */
function exact(n: number, m: number, u: number): number {
  // ways[j][k]: arrangements of i values of the first set and j of the second with U = k.
  let ways: number[][] = Array.from({ length: m + 1 }, () => [1]);
  for (let i = 1; i <= n; i++) {
    const next: number[][] = [[1]];
    for (let j = 1; j <= m; j++) {
      const row: number[] = Array.from({ length: i * j + 1 }, () => 0);
      // The largest value is of the first set (then it beats all j of the second), or of the
      // second.
      (ways[j] as number[]).forEach((count, k) => (row[k + j]! += count));
      (next[j - 1] as number[]).forEach((count, k) => (row[k]! += count));
      next.push(row);
    }
    ways = next;
  }
  const counts = ways[m] as number[];
  const total = counts.reduce((sum, count) => sum + count, 0);
  const below = counts.slice(0, Math.floor(u) + 1).reduce((sum, count) => sum + count, 0);
  return Math.min(1, (2 * below) / total);
}

function byNormal(n: number, m: number, u: number, ties: readonly number[]): number {
  const all = n + m;
  const correction = ties.reduce((sum, t) => sum + (t ** 3 - t), 0) / (all * (all - 1));
  const variance = ((n * m) / 12) * (all + 1 - correction);
  if (variance <= 0) return 1;
  const z = Math.max(0, (n * m) / 2 - u - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * (1 - normal(z)));
}

/** The normal distribution function (Abramowitz and Stegun 26.2.17, to 7.5e-8). @param z - >= 0. */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const poly =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly;
}
