// The operations of simulated code (src/shared/operations.ts) as WebAssembly's instructions, in
// AssemblyScript. All atomic ones are sequentially consistent; a plain load reads a word once and
// untorn, in no order. translate.mjs says which of them an operation becomes where.

/** The vCPU that this instance runs as: a constant of the instance, like the tables' places. */
export let self$v: i32 = 0;
/** Lookups that had to look again (TRACE_LOOKUP_RETRY). */
export let retries: i32 = 0;
/** Assertions of the simulated kernel that failed. */
export let bugs: i32 = 0;

/** Looks at a lock before its waiter also answers interrupts, and then every so often. */
const SPINS: i32 = 64;
/** Looks before a waiter sleeps. */
const SPINS_BEFORE_SLEEP: i32 = 2048;
/** Sleeps while a word is what was seen: the thread's own sleepOn() (processor.ts). */
@external("env", "sleep") declare function sleep(word: i32, seen: i32): void;

@inline function read(word: i32): i32 { return load<i32>(word << 2); }
@inline function write(word: i32, value: i32): void { store<i32>(word << 2, value); }
@inline function readLocal(word: i32): i32 { return load<i32>(word << 2); }
@inline function writeLocal(word: i32, value: i32): void { store<i32>(word << 2, value); }
@inline function readOnce(word: i32): i32 { return atomic.load<i32>(word << 2); }
@inline function writeOnce(word: i32, value: i32): void { atomic.store<i32>(word << 2, value); }
@inline function loadAcquire(word: i32): i32 { return atomic.load<i32>(word << 2); }
@inline function storeRelease(word: i32, value: i32): void { atomic.store<i32>(word << 2, value); }
@inline function cmpxchg(word: i32, expected: i32, value: i32): i32 {
  return atomic.cmpxchg<i32>(word << 2, expected, value);
}
@inline function xchg(word: i32, value: i32): i32 { return atomic.xchg<i32>(word << 2, value); }
@inline function fetchAdd(word: i32, delta: i32): i32 { return atomic.add<i32>(word << 2, delta); }
/** Of a word that nobody else writes: an exchange needs no second try, and is a barrier as well. */
@inline function fetchAddOwn(word: i32, delta: i32): i32 { return fetchAddOwn$b(word << 2, delta); }
@inline function fetchAnd(word: i32, mask: i32): i32 { return atomic.and<i32>(word << 2, mask); }
@inline function fetchOr(word: i32, bits: i32): i32 { return atomic.or<i32>(word << 2, bits); }

// The same for a word that is given by its address in bytes.
@inline function read$b(address: i32): i32 { return load<i32>(address); }
@inline function write$b(address: i32, value: i32): void { store<i32>(address, value); }
@inline function readLocal$b(address: i32): i32 { return load<i32>(address); }
@inline function writeLocal$b(address: i32, value: i32): void { store<i32>(address, value); }
@inline function readOnce$b(address: i32): i32 { return atomic.load<i32>(address); }
@inline function writeOnce$b(address: i32, value: i32): void { atomic.store<i32>(address, value); }
@inline function loadAcquire$b(address: i32): i32 { return atomic.load<i32>(address); }
@inline function storeRelease$b(address: i32, value: i32): void { atomic.store<i32>(address, value); }
@inline function cmpxchg$b(address: i32, expected: i32, value: i32): i32 {
  return atomic.cmpxchg<i32>(address, expected, value);
}
@inline function xchg$b(address: i32, value: i32): i32 { return atomic.xchg<i32>(address, value); }
@inline function fetchAdd$b(address: i32, delta: i32): i32 { return atomic.add<i32>(address, delta); }
@inline function fetchAddOwn$b(address: i32, delta: i32): i32 {
  return atomic.xchg<i32>(address, load<i32>(address) + delta);
}
@inline function fetchAnd$b(address: i32, mask: i32): i32 { return atomic.and<i32>(address, mask); }
@inline function fetchOr$b(address: i32, bits: i32): i32 { return atomic.or<i32>(address, bits); }

/** What the last fetchAddLike() found. */
let found: i32 = 0;
/**
 * Of one of many words that are mostly alike, such as counts of pages: begins by the value that the
 * last one had. V8 11 makes a compare-and-swap loop of a fetch-and-add, which begins by a load, and
 * a load of a word that was locked just now is slow.
 */
@inline function fetchAddLike(word: i32, delta: i32): i32 {
  return fetchAddLike$b(word << 2, delta);
}
@inline function fetchAddLike$b(address: i32, delta: i32): i32 {
  const wanted = found;
  const seen = atomic.cmpxchg<i32>(address, wanted, wanted + delta);
  return seen == wanted ? seen : fetchAddUnlike(address, delta, seen);
}
function fetchAddUnlike(address: i32, delta: i32, seen: i32): i32 {
  for (;;) {
    const before = atomic.cmpxchg<i32>(address, seen, seen + delta);
    if (before == seen) break;
    seen = before;
  }
  found = seen;
  return seen;
}

// The same where others may sleep for the word: they look again (processor.ts: wake()).
@inline function wake(word: i32): void {
  if (load<i32>(sleepersOf(word) << 2) != 0) wakeSleepers(word);
}
function wakeSleepers(word: i32): void { atomic.notify(word << 2, i32.MAX_VALUE); }
@inline function fetchAddWaking(word: i32, delta: i32): i32 {
  const before = atomic.add<i32>(word << 2, delta);
  wake(word);
  return before;
}
@inline function fetchAndWaking(word: i32, mask: i32): i32 {
  const before = atomic.and<i32>(word << 2, mask);
  wake(word);
  return before;
}
@inline function storeReleaseWaking(word: i32, value: i32): void {
  atomic.store<i32>(word << 2, value);
  wake(word);
}
@inline function fetchAddWaking$b(address: i32, delta: i32): i32 {
  return fetchAddWaking(address >> 2, delta);
}
@inline function fetchAndWaking$b(address: i32, mask: i32): i32 {
  return fetchAndWaking(address >> 2, mask);
}
@inline function storeReleaseWaking$b(address: i32, value: i32): void {
  storeReleaseWaking(address >> 2, value);
}

/** A locked operation on a word of this vCPU's own, as Linux has it on x86: half of an mfence. */
@inline function smpMb(): void { atomic.add<i32>(barrierWord(self$v) << 2, 0); }
@inline function smpWmb(): void { smpMb(); }
@inline function smpRmb(): void { smpMb(); }
/** smp_rmb() between loads that are all atomic: they are in order already. */
@inline function ordered(): void {}
@inline function cpuRelax(): void {}

@inline function trace(point: i32, a: i32, b: i32, c: i32): void {
  if (point == TRACE_LOOKUP_RETRY) retries++;
}
@inline function warnOn(condition: bool, id: i32, a: i32, b: i32): void { if (condition) bugs++; }

/** Between two looks of a wait: whoever is waited for may wait for this vCPU's answer. */
function waitOn(word: i32, seen: i32, looks: i32): void {
  if (looks > SPINS_BEFORE_SLEEP) sleep(word, seen);
  else if (looks % SPINS != 0) return;
  attendInterrupts(self$v);
}
function awaitEqualSlowly(word: i32, mask: i32, want: i32): i32 {
  let value = atomic.load<i32>(word << 2);
  for (let looks = 1; (value & mask) != want; looks++) {
    waitOn(word, value, looks);
    value = atomic.load<i32>(word << 2);
  }
  return value;
}
@inline function awaitEqual(word: i32, mask: i32, want: i32): i32 {
  const value = atomic.load<i32>(word << 2);
  return (value & mask) == want ? value : awaitEqualSlowly(word, mask, want);
}
function awaitNotEqual(word: i32, mask: i32, unwanted: i32): i32 {
  let value = atomic.load<i32>(word << 2);
  for (let looks = 1; (value & mask) == unwanted; looks++) {
    waitOn(word, value, looks);
    value = atomic.load<i32>(word << 2);
  }
  return value;
}
function acquireWhenSlowly(word: i32, mask: i32, want: i32, delta: i32): i32 {
  for (let looks = 1; ; looks++) {
    const value = atomic.load<i32>(word << 2);
    if ((value & mask) != want) waitOn(word, value, looks);
    else if (atomic.cmpxchg<i32>(word << 2, value, value + delta) == value) return value;
  }
  return unreachable();
}
@inline function acquireWhen(word: i32, mask: i32, want: i32, delta: i32): i32 {
  const value = atomic.load<i32>(word << 2);
  if ((value & mask) == want) {
    if (atomic.cmpxchg<i32>(word << 2, value, value + delta) == value) return value;
  }
  return acquireWhenSlowly(word, mask, want, delta);
}
