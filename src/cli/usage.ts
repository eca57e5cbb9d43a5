/** Wrong use, said in one line with the nearest right word, and the exit statuses. */

export const EXIT_CLEAN = 0;
export const EXIT_FINDING = 1;
export const EXIT_USAGE = 2;
export const EXIT_FAILED = 3;
/** Neither a finding nor a proof that there is none. */
export const EXIT_UNDECIDED = 125;
/** Ended by SIGINT; what was learned until then is printed. */
export const EXIT_INTERRUPTED = 130;

/** The user asked for what cannot be; the message is one line. */
export class UsageError extends Error {}

/** Reads a whole number. @param what - the flag, for the message. */
export function wholeNumber(text: string, what: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new UsageError(`${what} must be a whole number of at least ${least}, not "${text}"`);
}

/** Reads a positive number. @param what - the flag, for the message. */
export function positiveNumber(text: string, what: string, most: number): number {
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (value > 0 && value <= most) return value;
  throw new UsageError(`${what} must be a number above 0, at most ${most}, not "${text}"`);
}

const SEED_LIMIT = 1n << 64n;

/** Reads a seed: 64 bits, decimal or 0x hexadecimal. */
export function seedNumber(text: string): bigint {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : SEED_LIMIT;
  if (value < SEED_LIMIT) return value;
  throw new UsageError(`--seed must be a whole number of 64 bits or 0x and hex, not "${text}"`);
}

/** A seed as it is printed and can be pasted. */
export function seedText(seed: bigint): string {
  return `0x${seed.toString(16).padStart(16, '0')}`;
}

/** Reads one of some names. @param what - what it is a name of, for the message. */
export function oneOf(text: string, names: readonly string[], what: string): string {
  if (names.includes(text)) return text;
  const near = nearest(text, names);
  const hint = near === undefined ? `one of ${names.join(', ')}` : `did you mean ${near}?`;
  throw new UsageError(`no ${what} called "${text}": ${hint}`);
}

/** The name that differs least, if it differs little enough to be meant. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(text.length / 2)) + 1;
  for (const name of names) {
    const distance = editDistance(text, name);
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
