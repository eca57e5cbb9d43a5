// GUP-fast over four levels, by hand: what the JavaScript that the build makes is measured by. The
// same guarantees: every bound, permission and confirmation, try-get and re-check atomic.
const take = compiled['gup_fast_4$call$gupFastTake'];
const put = compiled['gup_fast_4$call$gupPut'];
const fetchOr = compiled['operation$fetchOr'];
const fetchAnd = compiled['operation$fetchAnd'];
const fetchAdd = compiled['operation$fetchAdd'];

const UPCALL = Vcpu$word + 16 * self$v;
const SECTION = RcuReader$word + 16 * self$v;
const NO_PAGE = -1;
const WRITE = 1;
/** Present, writable, user. */
const NEEDED = 7;
const SPECIAL = 32;

function entryOf(table, index) {
  return $mem[(PtWord$word + ((table << 9) | index)) | 0];
}

function pageAt(root, vpn) {
  let entry = entryOf(root, (vpn >> 27) & 511);
  let table = (entry >>> 9) & 0x3fffff;
  if ((entry & 1) === 0 || table >= Params$ptFrames) return NO_PAGE;
  entry = entryOf(table, (vpn >> 18) & 511);
  table = (entry >>> 9) & 0x3fffff;
  if ((entry & 1) === 0 || table >= Params$ptFrames) return NO_PAGE;
  entry = entryOf(table, (vpn >> 9) & 511);
  table = (entry >>> 9) & 0x3fffff;
  if ((entry & 1) === 0 || table >= Params$ptFrames) return NO_PAGE;
  const ptep = (PtWord$word + ((table << 9) | (vpn & 511))) | 0;
  const pte = $mem[ptep];
  if ((pte & (NEEDED | SPECIAL)) !== NEEDED) return NO_PAGE;
  const mfn = (pte >>> 9) & 0x3fffff;
  if (mfn >= Params$frames) return NO_PAGE;
  const pfn = $mem[(M2p$word + mfn) | 0];
  if (pfn < 0 || pfn >= Params$pagesPerDomain || $mem[(P2m$word + pfn) | 0] !== mfn) return NO_PAGE;
  return take(self$v, ptep, pte, pfn, WRITE);
}

function loop(keys, count) {
  const root = $mem[(Mm$word + 5 + 32 * $mem[(CurrentMm$word + self$v) | 0]) | 0];
  const masked = fetchOr(UPCALL, 2) & 2;
  fetchAdd(SECTION, 1);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const pg = pageAt(root, $mem[(keys + i) | 0]);
    if (pg !== NO_PAGE) put(self$v, pg, WRITE);
    sum = (sum + pg) | 0;
  }
  fetchAdd(SECTION, ($mem[SECTION] & 255) === 1 ? 255 : -1);
  if (masked === 0) fetchAnd(UPCALL, -3);
  return sum;
}

return { loop, batch: loop, retries: () => 0, bugs: () => 0 };
