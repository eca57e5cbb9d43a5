/**
 * The same lookups in C (bench/native), over a copy of a machine's memory, in a process of their
 * own: what the machine underneath can do. Built with the C compiler of the host when it is needed.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Machine } from '../src/shared/layout.ts';
import type { LookupName } from './lookup-names.ts';
import { nativePlaces } from './native-places.ts';

const FLAGS = ['-std=gnu11', '-O2', '-Wall', '-pthread'];
const WRITE_BYTES = 1 << 20;

/** Lookups that there are in C. */
export const NATIVE_LOOKUPS: readonly LookupName[] = [
  'm2p-override',
  'm2p-override-bucket-locks',
  'vma-pages-seqcount',
  'vma-pages-per-vma-lock',
  'vma-pages-rcu',
  'gup-fast-2',
  'gup-fast-4',
  'gup-fast-range',
];

/** What a reader of the reference looks up. */
export interface NativeReader {
  readonly vcpu: number;
  /** Word of the first key. */
  readonly keys: number;
  /** Word of the sum that the first chunk must give; those of the others follow. */
  readonly sums: number;
  readonly chunks: number;
}

/** How the reference is run. */
export interface NativeRun {
  readonly lookup: LookupName;
  /** Keys a call. */
  readonly batch: number;
  /** Keys of a chunk. */
  readonly chunk: number;
  readonly ms: number;
  readonly readers: readonly NativeReader[];
}

/** What a reader did. */
export interface NativeDid {
  readonly lookups: number;
  readonly ms: number;
  /** Chunks whose sum was wrong. */
  readonly wrong: number;
  readonly longestMs: number;
}

const execute = promisify(execFile);

/** @returns the C compiler of this host, or null. */
export async function findCompiler(): Promise<string | null> {
  const wanted = process.env['CC'];
  for (const name of wanted ? [wanted] : ['cc', 'gcc', 'clang']) {
    try {
      await execute(name, ['--version']);
      return name;
    } catch {
      // The next one.
    }
  }
  return null;
}

/** The program, built once a process and removed with it. */
const builds = new Map<string, Promise<string>>();

async function build(compiler: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gntrace-native-'));
  process.once('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  const program = join(directory, 'reference');
  const source = fileURLToPath(new URL('bench/native/reference.c', root()));
  await execute(compiler, [...FLAGS, '-o', program, source]);
  return program;
}

/** The project's folder, from bench/ or from dist/EDITION/bench. */
function root(): URL {
  const here = new URL('..', import.meta.url);
  return here.pathname.includes('/dist/') ? new URL('../..', here) : here;
}

/** The reference with a machine's memory. */
export class NativeReference {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Gives the reference a copy of the machine as it is now.
   * @param compiler - what findCompiler found. @param machine - booted and filled.
   */
  static async start(compiler: string, machine: Machine): Promise<NativeReference> {
    const built = builds.get(compiler) ?? build(compiler);
    builds.set(compiler, built);
    const reference = new NativeReference(spawn(await built));
    for (const [name, number] of nativePlaces(machine)) {
      reference.child.stdin.write(`place ${name} ${number >>> 0}\n`);
    }
    await reference.sendMemory(machine.words);
    return reference;
  }

  private async sendMemory(words: Int32Array): Promise<void> {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    this.child.stdin.write(`memory ${bytes.byteLength}\n`);
    for (let at = 0; at < bytes.byteLength; at += WRITE_BYTES) {
      const part = Uint8Array.from(bytes.subarray(at, at + WRITE_BYTES));
      await new Promise<void>((resolve) => {
        this.child.stdin.write(part, () => {
          resolve();
        });
      });
    }
    const answer = await this.answer();
    if (answer !== 'ready') throw new Error(`the native reference: ${answer}`);
  }

  private async answer(): Promise<string> {
    const { value, done } = await this.lines.next();
    return done === true ? 'it ended' : value;
  }

  /** Runs all readers at once. @returns what each did. */
  async run({ lookup, batch, chunk, ms, readers }: NativeRun): Promise<NativeDid[]> {
    const lines = readers.map(
      ({ vcpu, keys, sums, chunks }) => `${vcpu} ${keys} ${sums} ${chunks}`,
    );
    const order = `run ${lookup} ${batch} ${chunk} ${Math.ceil(ms)} ${readers.length}`;
    this.child.stdin.write(`${[order, ...lines].join('\n')}\n`);
    const did: NativeDid[] = [];
    while (did.length < readers.length) {
      const answer = await this.answer();
      const [lookups, nanoseconds, wrong, longest] = answer.split(' ').map(Number);
      if (longest === undefined || Number.isNaN(longest)) {
        throw new Error(`the native reference: ${answer}`);
      }
      did.push({
        lookups: lookups as number,
        ms: (nanoseconds as number) / 1e6,
        wrong: wrong as number,
        longestMs: longest / 1e6,
      });
    }
    return did;
  }

  /** Ends the process. */
  async end(): Promise<void> {
    this.child.stdin.end();
    await new Promise((resolve) => this.child.once('close', resolve));
  }
}
