/** Words of a benchmark's machine besides those of what is simulated. */
import { defineTable } from '../src/shared/table.ts';

/** How the threads of a benchmark start and stop together. */
export const Bench = defineTable(
  'bench',
  [],
  {
    go: '[RUN] counts the runs: a thread that sees it move begins',
    stop: '[RUN] 1 once the run is over: threads look between two chunks',
    waiting: '[THREAD] threads that have come to the start line',
    kernelThread: '[THREAD] 1 while a thread does the work of the domain’s kernel thread',
    hold: '[THREAD] what becomes of the page that is held beside an unmap (loops/hold.ts)',
  },
  { lineAligned: true },
);

/** What each reader is to look up, in the order in which it does. */
export const BenchKey = defineTable('bench.reader[%].key[%]', ['readers', 'keys'], {
  value: '[BOOT] key: what the lookup takes',
});

/** The sum of the results of each chunk of a reader's keys. */
export const BenchExpected = defineTable('bench.reader[%].sum[%]', ['readers', 'chunks'], {
  value: '[BOOT] sum of what the keys of the chunk must give, wrapped to 32 bits',
});

/** What each vCPU passes to the kernel by address. */
export const BenchArgument = defineTable('%v.bench_arg[%]', ['vcpus', 'benchArguments'], {
  value: '[VCPU] word of an argument or result',
});
