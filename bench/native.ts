/** The C reference of the lookup that a crew has been made for. */
import type { Crew } from './crew.ts';
import { CHUNK, vcpuOfReader } from './machine.ts';
import { NATIVE_LOOKUPS, NativeReference, findCompiler } from './native-reference.ts';
import { BenchExpected, BenchKey } from './tables.ts';
import type { Did, Reading } from './orders.ts';

/** Why there is no native reference; empty if there is one. */
export async function nativeSkipped(): Promise<string> {
  return (await findCompiler()) === null ? 'there is no C compiler' : '';
}

/** A native lookup of one machine. */
export class NativeLookup {
  private readonly crew: Crew;
  private readonly reference: NativeReference;

  private constructor(crew: Crew, reference: NativeReference) {
    this.crew = crew;
    this.reference = reference;
  }

  /** @returns the native form of the crew's lookup, with its memory, or null if there is none. */
  static async start(crew: Crew): Promise<NativeLookup | null> {
    const compiler = await findCompiler();
    if (compiler === null || !NATIVE_LOOKUPS.includes(crew.shape.lookup)) return null;
    return new NativeLookup(crew, await NativeReference.start(compiler, crew.machine));
  }

  /** Runs one reader for each reading at once, for about `ms`. */
  async run(readings: readonly Reading[], ms: number): Promise<readonly Did[]> {
    const readers = readings.map(({ firstChunk, chunks }, r) => ({
      vcpu: vcpuOfReader(r),
      keys: BenchKey.value.at2(r, firstChunk * CHUNK),
      sums: BenchExpected.value.at2(r, firstChunk),
      chunks,
    }));
    const { lookup } = this.crew.shape;
    const batch = readings[0]?.batch ?? 1;
    const all = await this.reference.run({ lookup, batch, chunk: CHUNK, ms, readers });
    return all.map((did) => ({ ...did, turns: 0, retries: 0 }));
  }

  async end(): Promise<void> {
    await this.reference.end();
  }
}
