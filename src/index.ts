/**
 * The engine without Xen: tables over shared memory, operations, and the explorer, for whoever has
 * a lock or a lock-free structure over a SharedArrayBuffer to test. docs/library.md has an example.
 */
export type { Actor, CheckOptions, CheckResult, Complaint, Finding } from './explore/check.ts';
export { check as explore } from './explore/check.ts';
export { BrokenError, assertSafe as check } from './explore/assert-safe.ts';
export { assume } from './explore/program.ts';
export type { Replayed, Schedule } from './explore/replay.ts';
export { DivergedError, replay } from './explore/replay.ts';
export type { Seed } from './explore/seed.ts';
export { SeedError, formatSeed, parseSeed } from './explore/seed.ts';
export type { Shrinkable, Shrunk } from './explore/shrink.ts';
export { shrink } from './explore/shrink.ts';
export type { StrategyName } from './explore/strategies/index.ts';
export { strategyNames } from './explore/strategies/index.ts';
export type { Machine } from './shared/layout.ts';
export { ConfigError, createMachine, wordName } from './shared/layout.ts';
export type { Op } from './shared/op.ts';
export {
  acquireWhen,
  awaitEqual,
  awaitNotEqual,
  choose,
  cmpxchg,
  cpuRelax,
  fetchAdd,
  fetchAnd,
  fetchOr,
  loadAcquire,
  read,
  readLocal,
  readOnce,
  runAlone,
  smpMb,
  smpRmb,
  smpWmb,
  storeRelease,
  write,
  writeLocal,
  writeOnce,
  xchg,
} from './shared/operations.ts';
export type { Config, Table } from './shared/table.ts';
export { Field, defineTable } from './shared/table.ts';
