// The operations of simulated code (src/shared/operations.ts) for lookups in JavaScript. Plain
// reads and writes are the engine's own; what is atomic is a call of WebAssembly, a third of the
// price of an Atomics built-in, and an access that no compiler moves another one across.

/** Lookups that had to look again (TRACE_LOOKUP_RETRY). */
let retries = 0;
/** Assertions of the simulated kernel that failed. */
let bugs = 0;

function read(word) {
  return $mem[word | 0];
}
function write(word, value) {
  $mem[word | 0] = value;
}
function readLocal(word) {
  return $mem[word | 0];
}
function writeLocal(word, value) {
  $mem[word | 0] = value;
}
function cpuRelax() {}
function trace(point) {
  if (point === TRACE_LOOKUP_RETRY) retries++;
}
function warnOn(condition) {
  if (condition) bugs++;
}
