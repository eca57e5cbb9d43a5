/**
 * Which lookups are compiled (docs/compiled-kernels.md), and how each one is:
 *
 *   loop     the loop over keys of bench/loops/find.ts: the kernel's functions, step by step
 *   batch    the loop in batches of bench/loops/batch.ts, if there is one
 *   fixed    boot parameters that the code is made for; others are constants of the machine
 *   plain    functions whose READ_ONCE is a plain load, with all that they call: what they find is
 *            a guess, which an atomic operation behind them confirms
 *   ordered  plain reads are atomic ones in place of a read barrier behind them
 *   script   how it is made in JavaScript: its own `plain`, and the functions that it calls
 *            `compiled`, because most of what they do is atomic
 */

const FIND = 'bench/loops/find.ts';
const BATCH = 'bench/loops/batch.ts';
const plainWalk = ['gupFastTouch', 'gupFastWalks', 'walkToPte', 'gupFastFind'];
const gupScript = {
  plain: [...plainWalk, 'gupFastPte'],
  compiled: ['gupFastTake', 'gupPut'],
};
const overrideScript = { compiled: ['spinLock', 'spinUnlock'] };
const levels4 = { ptLevels: 4, ptShift: 9, ptEntries: 512 };

/** @typedef {{ name: string, loop: string, batch?: string, fixed?: Record<string, number>,
 *   plain?: string[], ordered?: boolean,
 *   script?: { plain?: string[], compiled?: string[] } }} Lookup */

/** @type {Lookup[]} */
export const lookups = [
  {
    name: 'm2p-override',
    loop: 'findOverrides',
    batch: 'findOverridesBatches',
    script: overrideScript,
  },
  {
    name: 'm2p-override-bucket-locks',
    loop: 'findOverrides',
    batch: 'findOverridesBatches',
    script: overrideScript,
  },
  {
    name: 'vma-pages-seqcount',
    loop: 'findSpeculatively',
    batch: 'findSpeculativelyBatches',
    ordered: true,
    script: { plain: ['vmaLookup', 'vmaPagesLookup'], compiled: ['readSeqRetry'] },
  },
  {
    name: 'vma-pages-per-vma-lock',
    loop: 'findUnderVmaLock',
    batch: 'findUnderVmaLockBatches',
    script: { plain: ['pageOfSlot'], compiled: ['lockVmaUnderRcu', 'vmaEndRead'] },
  },
  {
    name: 'vma-pages-rcu',
    loop: 'findUnderRcu',
    batch: 'findUnderRcuBatches',
    ordered: true,
    script: { plain: ['vmaLookup', 'pageOfSlot'] },
  },
  { name: 'vm-foreign', loop: 'findVmForeign' },
  { name: 'find-special-page', loop: 'findSpecialPages' },
  {
    name: 'gup-fast-2',
    loop: 'gupFastPages',
    batch: 'gupFastBatches',
    fixed: { ptLevels: 2 },
    plain: plainWalk,
    script: gupScript,
  },
  {
    name: 'gup-fast-4',
    loop: 'gupFastPages',
    batch: 'gupFastBatches',
    fixed: levels4,
    plain: plainWalk,
    script: gupScript,
  },
  {
    name: 'gup-fast-range',
    loop: 'gupFastRanges',
    batch: 'gupFastRangesBatches',
    fixed: levels4,
    plain: plainWalk,
    script: gupScript,
  },
  { name: 'maptrack', loop: 'findMappings', ordered: true },
  { name: 'p2m', loop: 'translatePfns' },
  { name: 'm2p', loop: 'translateMfns' },
  { name: 'dma-handles', loop: 'findDmaPages' },
];

/** @param {Lookup} lookup @returns {{ plain?: string[], compiled?: string[] }} */
export function scriptOf(lookup) {
  return lookup.script ?? {};
}

/** Where the loops are. @returns {{ path: string, name: string }} */
export function loopOf(lookup) {
  return { path: FIND, name: lookup.loop };
}

/** @returns {{ path: string, name: string } | null} */
export function batchOf(lookup) {
  return lookup.batch === undefined ? null : { path: BATCH, name: lookup.batch };
}

/** Simulated functions that waits call, and the constants that the operations know. */
export const support = [
  { path: 'bench/loops/attend.ts', name: 'attendInterrupts' },
  { path: 'bench/loops/attend.ts', name: 'barrierWord' },
  { path: 'bench/loops/attend.ts', name: 'sleepersOf' },
  { path: 'src/linux/mm/tracepoints.ts', name: 'TRACE_LOOKUP_RETRY' },
];

/**
 * Functions that end what a writer may sleep for, and so wake it: locks, and answers to its
 * interrupts. Whoever waits for the end of a read section sleeps no longer than SLEEP_MS.
 */
export const waking = new Set(['upRead', 'spinUnlock', 'vmaEndRead', 'answerCalls', 'answerFlush']);

/** Functions that count words down of which most are alike. */
export const alike = new Set(['putPages']);

/** Functions that stay calls: a lookup comes there when something went wrong, or has to wait. */
export const cold = new Set([
  'freePage',
  'attendInterrupts',
  'handlePhysical',
  'handleUpcall',
  'answerCalls',
  'answerFlush',
  'tlbFlushLocal',
  'vmaPageLocked',
]);
