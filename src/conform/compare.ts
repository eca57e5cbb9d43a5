/** What a step did here against what was recorded of it. */
import type { ActiveGrant, Dump, Fields, Step } from './recording.ts';
import type { Symbols } from './symbols.ts';
import { Unsupported } from './world.ts';

/** What a step did here. */
export interface Seen {
  /** The system call's result: negative errors are -1 with an errno. */
  readonly result: number | null;
  readonly errno: string | null;
  readonly observed?: Fields;
}

/** One value that is another than the recorded one. */
export interface Mismatch {
  /** `result`, `observed.bytes[1]`, `dump.active[0].hstw` */
  readonly field: string;
  readonly expected: unknown;
  readonly seen: unknown;
}

/** The first value that differs below a place. */
function mismatchAt(
  field: string,
  expected: unknown,
  seen: unknown,
  symbols: Symbols,
): Mismatch | null {
  if (Array.isArray(expected) && Array.isArray(seen)) {
    for (let i = 0; i < Math.max(expected.length, seen.length); i++) {
      const found = mismatchAt(`${field}[${i}]`, expected[i], seen[i], symbols);
      if (found !== null) return found;
    }
    return null;
  }
  if (isObject(expected) && isObject(seen)) {
    for (const [key, value] of Object.entries(expected)) {
      if (!(key in seen)) throw new Unsupported(`${field}.${key} cannot be observed here`);
      const found = mismatchAt(`${field}.${key}`, value, seen[key], symbols);
      if (found !== null) return found;
    }
    return null;
  }
  const same =
    typeof seen === 'number' && typeof expected === 'number'
      ? symbols.agrees(seen, expected)
      : seen === expected;
  if (same) return null;
  return { field, expected, seen: typeof seen === 'number' ? symbols.show(seen) : seen };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first difference of a step. Values that the recording calls unreliable are not looked at. */
export function mismatchOfStep(step: Step, seen: Seen, symbols: Symbols): Mismatch | null {
  if (!step.reliable) return null;
  if (step.result !== seen.result) {
    const expected = resultText(step.result, step.errno);
    return { field: 'result', expected, seen: resultText(seen.result, seen.errno) };
  }
  if (step.errno !== seen.errno) {
    return { field: 'errno', expected: step.errno, seen: seen.errno };
  }
  if (step.observed === undefined) return null;
  return mismatchAt('observed', step.observed, seen.observed ?? {}, symbols);
}

/** "-1 EINVAL", "0" */
function resultText(result: number | null, errno: string | null): string {
  return errno === null ? String(result) : `${result} ${errno}`;
}

/** The first difference of a dump of active grants. */
export function mismatchOfDump(
  dump: Dump,
  active: readonly ActiveGrant[],
  symbols: Symbols,
): Mismatch | null {
  if (!dump.reliable) return null;
  const place = dump.label === '' ? 'dump' : `dump "${dump.label}"`;
  const seen = active.map((entry) => describe(entry)).join('; ') || 'none';
  const expected = dump.active.map((entry) => describe(entry)).join('; ') || 'none';
  if (dump.activeCount !== active.length) return { field: `${place}.active`, expected, seen };
  return mismatchAt(`${place}.active`, dump.active, active, symbols);
}

function describe(entry: ActiveGrant): string {
  const { hstw, hstr, devw, devr, flags } = entry;
  const pins = `hstw ${hstw} hstr ${hstr} devw ${devw} devr ${devr}`;
  return `${entry.grant} by d${entry.mappedBy} ${pins} flags ${flags}`;
}
