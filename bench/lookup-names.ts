/** The lookups by name, in the order of the tables. */
export const LOOKUP_NAMES = [
  'm2p-override',
  'm2p-override-bucket-locks',
  'vma-pages-seqcount',
  'vma-pages-per-vma-lock',
  'vma-pages-rcu',
  'vm-foreign',
  'find-special-page',
  'gup-fast-2',
  'gup-fast-4',
  'gup-fast-range',
  'maptrack',
  'p2m',
  'm2p',
  'dma-handles',
] as const;

export type LookupName = (typeof LOOKUP_NAMES)[number];
