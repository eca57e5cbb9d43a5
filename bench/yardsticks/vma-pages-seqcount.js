// The VMA page array under mm_lock_seq, by hand (see gup-fast-4.js): sixteen lookups share a read
// section and one sequence, which is atomic before and, behind a barrier, after.
const retry = compiled['vma_pages_seqcount$call$readSeqRetry'];
const locked = compiled['vma_pages_seqcount$call$vmaPageLocked'];
const loadAcquire = compiled['operation$loadAcquire'];
const fetchAdd = compiled['operation$fetchAdd'];

const SECTION = RcuReader$word + 16 * self$v;
const NO_PAGE = -1;
let retries = 0;

function find(mm, vpn) {
  const node = $mem[(Mm$word + 2 + 32 * mm) | 0];
  const slots = (VmaSlot$word + Math.imul(node, VmaSlot$outer)) | 0;
  const count = $mem[(VmaNode$word + node) | 0];
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ($mem[(slots + 1 + 3 * middle) | 0] > vpn) to = middle;
    else from = middle + 1;
  }
  const slot = (slots + 3 * from) | 0;
  if (from === count || $mem[slot] > vpn) return NO_PAGE;
  const vma = (Vma$word + 16 * $mem[slot + 2]) | 0;
  const pages = $mem[vma + 9];
  return pages < 0 ? NO_PAGE : $mem[(pages + vpn - $mem[vma + 1]) | 0];
}

function some(mm, keys, count) {
  const sequence = (Mm$word + 1 + 32 * mm) | 0;
  let sum = 0;
  fetchAdd(SECTION, 1);
  const seq = loadAcquire(sequence);
  let again = seq & 1;
  if (again === 0) {
    for (let i = 0; i < count; i++) sum = (sum + find(mm, $mem[(keys + i) | 0])) | 0;
    again = retry(sequence, seq);
  }
  fetchAdd(SECTION, ($mem[SECTION] & 255) === 1 ? 255 : -1);
  if (again === 0) return sum;
  retries++;
  if (count === 1) return locked(mm, $mem[keys]);
  sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + some(mm, keys + i, 1)) | 0;
  return sum;
}

function inSteps(step, keys, count) {
  const mm = $mem[CurrentMm$word + self$v];
  let sum = 0;
  for (let i = 0; i < count; i += step) {
    sum = (sum + some(mm, keys + i, Math.min(step, count - i))) | 0;
  }
  return sum;
}

return {
  loop: (keys, count) => inSteps(1, keys, count),
  batch: (keys, count) => inSteps(16, keys, count),
  retries: () => retries,
  bugs: () => 0,
};
