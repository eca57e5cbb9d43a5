/**
 * Compiled lookups and those of the threads edition beside a writer at full speed: what stays must
 * be found each time, in batches of any size; what the writer maps and unmaps must be a page or
 * none; and no reference, lock or section is left.
 */
import { setImmediate } from 'node:timers/promises';
import { Mm } from '../src/linux/mm/mm.ts';
import { NO_PAGE, Page } from '../src/linux/mm/page.ts';
import type { Machine } from '../src/shared/layout.ts';
import { attach } from '../src/shared/layout.ts';
import { RcuReader } from '../src/shared/rcu.ts';
import type { Prng } from '../src/threads/prng.ts';
import { Crew } from './crew.ts';
import { loadKernels, shortSleep } from './kernels.ts';
import type { LookupName } from './lookup-names.ts';
import type { Shape } from './machine.ts';
import { CHUNK, vcpuOfReader } from './machine.ts';
import type { Tally } from './random-inputs.ts';
import { COMPARED, compiledWays, randomShape } from './random-inputs.ts';
import { BenchKey } from './tables.ts';
import { addressesOf } from './turns.ts';

/** Lookups whose keys the writer can take away. */
const BY_ADDRESS: readonly LookupName[] = [
  'gup-fast-2',
  'gup-fast-4',
  'vma-pages-seqcount',
  'vma-pages-per-vma-lock',
  'vma-pages-rcu',
  'vm-foreign',
  'find-special-page',
];
/** Addresses that a writer maps and unmaps, and as many behind them. */
const CHANGING = 16;
const SLICE_MS = 60;
/** Slices with one machine beside a writer: threads take a second to start. */
const SLICES = 64;

/** References of all pages; a writer's turn gives back what it takes. */
export function pageCounts(words: Int32Array): number {
  let sum = 0;
  for (let pg = 0; pg < Page.refcount.count; pg++) sum += words[Page.refcount.at(pg)] as number;
  return sum;
}

/** What was left taken, once nobody runs. */
export function leftOvers({ words }: Machine, shape: Shape, pages: number): string[] {
  const left: string[] = [];
  for (let v = 0; v <= vcpuOfReader(shape.readers - 1); v++) {
    const nesting = (words[RcuReader.section.at2(0, v)] as number) & 0xff;
    if (nesting !== 0) left.push(`d0v${v} is in ${nesting} RCU sections`);
  }
  for (let mm = 0; mm < Mm.mmapLock.count; mm++) {
    const lock = words[Mm.mmapLock.at(mm)];
    if (lock !== 0) left.push(`mmap_lock of mm ${mm} is ${lock}`);
  }
  const now = pageCounts(words);
  if (shape.lookup.startsWith('gup-fast') && now !== pages) {
    left.push(`pages have ${now} references, not ${pages}`);
  }
  return left;
}

/** Looks up what the writer changes, as the last reader, in this thread. */
async function lookAtChanging(crew: Crew, prng: Prng, tally: Tally, on: () => boolean) {
  const { machine, shape } = crew;
  const { words } = machine;
  const v = vcpuOfReader(shape.readers - 1);
  const kernels = loadKernels(machine, v, shortSleep(machine));
  const script = kernels.script(shape.lookup);
  const ways = compiledWays(shape.lookup, kernels, script);
  const keys = BenchKey.value.at2(shape.readers - 1, 0);
  const own = addressesOf(shape, 0);
  while (on()) {
    const count = 1 + prng.below(CHUNK);
    for (let i = 0; i < count; i++) words[keys + i] = own + prng.below(CHANGING);
    for (const { variant, run } of ways) {
      for (let i = 0; i < count; i++) {
        const pg = run(keys + i, 1);
        if (pg === NO_PAGE || (pg >= 0 && pg < Page.refcount.count)) continue;
        tally.findings.push(`${shape.lookup}: ${variant} finds ${pg} where the writer works`);
        return;
      }
      run(keys, count);
      tally.changing[variant] += 2 * count;
    }
    await setImmediate();
  }
  const bugs = kernels.bugs() + script.bugs();
  if (bugs > 0) tally.findings.push(`${shape.lookup}: ${bugs} assertions failed`);
}

/** One machine, beside a writer. @param goOn - asked before each slice, once each variant has
 * had one. */
export async function compareBeside(
  lookup: LookupName,
  prng: Prng,
  tally: Tally,
  goOn: () => boolean,
): Promise<void> {
  const shape = randomShape(lookup, prng, 2);
  const sequence = { distribution: 'uniform', sharing: 'shared' } as const;
  const seed = prng.below(2 ** 31);
  const crew = await Crew.start(shape, { seed, sequences: [sequence] });
  attach(crew.machine);
  tally.machines++;
  try {
    const pages = pageCounts(crew.machine.words);
    for (let slice = 0; slice < SLICES && (slice < COMPARED.length || goOn()); slice++) {
      const variant = COMPARED[slice % COMPARED.length] as (typeof COMPARED)[number];
      const batch = 1 + prng.below(CHUNK);
      const reading = { variant, batch, firstChunk: 0, chunks: 1, changes: 0 };
      let running = true;
      const run = crew.run({ readings: [reading], writer: true, ms: SLICE_MS });
      const stop = (): void => {
        running = false;
      };
      void run.then(stop, stop);
      if (BY_ADDRESS.includes(lookup)) await lookAtChanging(crew, prng, tally, () => running);
      const { readers, writer } = await run;
      tally.beside[variant] += readers[0]?.lookups ?? 0;
      const wrong = (readers[0]?.wrong ?? 0) + (writer?.wrong ?? 0);
      const what = `${lookup}, ${variant} in batches of ${batch}, ${shape.vmas} VMAs`;
      if (wrong > 0) tally.findings.push(`${what}: ${wrong} times wrong beside a writer`);
      for (const said of leftOvers(crew.machine, shape, pages)) {
        tally.findings.push(`${what}: ${said}`);
      }
      if (tally.findings.length > 0) return;
    }
  } finally {
    await crew.end();
  }
}
