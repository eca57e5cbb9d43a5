/** The same lookups in C, over a copy of the machine's memory, in a process of their own. */
import type { Crew } from './crew.ts';
import type { Did, Reading } from './thread.ts';

/** A native lookup of one machine. */
export interface NativeLookup {
  /** Runs one reader for each reading at once, for about `ms`. */
  run(readings: readonly Reading[], ms: number): Promise<readonly Did[]>;
  /** Removes what was copied. */
  end(): Promise<void>;
}

/** Whether there is a native reference here. */
export interface NativeState {
  /** Why there is none; empty if there is one. */
  readonly skipped: string;
}

/** Says whether the native reference can be had: whether there is a C compiler. */
export async function nativeState(): Promise<NativeState> {
  return Promise.resolve({ skipped: 'not built' });
}

/** @returns the native form of the crew's lookup, or null if there is none. */
export async function nativeLookup(_crew: Crew): Promise<NativeLookup | null> {
  return Promise.resolve(null);
}
