// m2p_override under its one spinlock, by hand (see gup-fast-4.js): upcalls masked, a ticket drawn,
// the bucket's list walked.
const readOnce = compiled['operation$readOnce'];
const fetchOr = compiled['operation$fetchOr'];
const fetchAnd = compiled['operation$fetchAnd'];
const lock = compiled['m2p_override$call$spinLock'];
const unlock = compiled['m2p_override$call$spinUnlock'];

const UPCALL = Vcpu$word + 16 * self$v;
const LOCK = M2pOverride$word;
const NO_PAGE = -1;

function search(mfn) {
  const hash = Math.imul(mfn, 0x9e370001 | 0) >>> 22;
  const bucket = (OverrideBucket$word + 2 * hash) | 0;
  for (let node = $mem[bucket]; node !== bucket; node = $mem[node]) {
    const pg = (node - PageLru$word) >> 1;
    if ($mem[(Page$word + 3 + 16 * pg) | 0] === mfn) return pg;
  }
  return NO_PAGE;
}

function pageOf(mfn) {
  const pfn = mfn < 0 || mfn >= Params$frames ? -1 : readOnce(M2p$word + mfn);
  const known = pfn >= 0 && pfn < Params$pagesPerDomain;
  if (known && readOnce(P2m$word + pfn) === mfn) return pfn;
  const masked = fetchOr(UPCALL, 2) & 2;
  lock(LOCK);
  const found = search(mfn);
  unlock(LOCK);
  if (masked === 0) fetchAnd(UPCALL, -3);
  return found;
}

function loop(keys, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + pageOf($mem[(keys + i) | 0])) | 0;
  return sum;
}

return { loop, batch: loop, retries: () => 0, bugs: () => 0 };
