/** The lookups that are compiled ahead: to WebAssembly over the machine's own memory. */
import type { Machine } from '../src/shared/layout.ts';
import type { LookupName } from './lookup-names.ts';

/** A lookup as WebAssembly. */
export interface WasmLookup {
  /** One lookup a call. @returns its result. */
  readonly call: (key: number) => number;
  /** Many lookups a call. @param keys - word of the first key. @returns the sum of the results. */
  readonly batch: (keys: number, count: number) => number;
}

/**
 * The compiled form of a lookup for one vCPU of a machine that is laid out, booted or not.
 * @returns it, or null if the lookup has none.
 */
export async function wasmLookup(
  _name: LookupName,
  _machine: Machine,
  _v: number,
): Promise<WasmLookup | null> {
  return Promise.resolve(null);
}
