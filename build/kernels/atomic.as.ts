// Operations as WebAssembly's instructions. All atomic ones are sequentially consistent.

@inline function read(word: i32): i32 { return load<i32>(word << 2); }
@inline function write(word: i32, value: i32): void { store<i32>(word << 2, value); }
@inline function readOnce(word: i32): i32 { return atomic.load<i32>(word << 2); }
@inline function writeOnce(word: i32, value: i32): void { atomic.store<i32>(word << 2, value); }
@inline function loadAcquire(word: i32): i32 { return atomic.load<i32>(word << 2); }
@inline function storeRelease(word: i32, value: i32): void { atomic.store<i32>(word << 2, value); }
@inline function cmpxchg(word: i32, expected: i32, value: i32): i32 {
  return atomic.cmpxchg<i32>(word << 2, expected, value);
}
@inline function xchg(word: i32, value: i32): i32 { return atomic.xchg<i32>(word << 2, value); }
@inline function fetchAdd(word: i32, delta: i32): i32 { return atomic.add<i32>(word << 2, delta); }
@inline function fetchAnd(word: i32, mask: i32): i32 { return atomic.and<i32>(word << 2, mask); }
@inline function fetchOr(word: i32, bits: i32): i32 { return atomic.or<i32>(word << 2, bits); }
@inline function smpMb(): void { atomic.fence(); }
@inline function smpWmb(): void {}
@inline function smpRmb(): void {}
function awaitEqualSlow(word: i32, mask: i32, want: i32): i32 {
  for (;;) {
    const value = atomic.load<i32>(word << 2);
    if ((value & mask) == want) return value;
  }
  return unreachable();
}
@inline function awaitEqual(word: i32, mask: i32, want: i32): i32 {
  const value = atomic.load<i32>(word << 2);
  return (value & mask) == want ? value : awaitEqualSlow(word, mask, want);
}
@inline function readLocal(word: i32): i32 { return load<i32>(word << 2); }
@inline function writeLocal(word: i32, value: i32): void { store<i32>(word << 2, value); }
export let bugs: i32 = 0;
@inline function trace(point: i32, a: i32, b: i32, c: i32): void {}
@inline function warnOn(condition: bool, id: i32, a: i32, b: i32): void { if (condition) bugs++; }
