/** The words of the dialect, and what they are in AssemblyScript. */

/** Types. */
export const types = new Map([
  ['number', 'i32'],
  ['boolean', 'bool'],
  ['void', 'void'],
  ['Op', 'i32'],
  ['Op<number>', 'i32'],
  ['Op<boolean>', 'bool'],
  ['Op<void>', 'void'],
  ['Op<never>', 'void'],
]);

/** Functions of Math that are instructions. */
export const mathCalls = new Map([
  ['abs', 'abs<i32>'],
  ['clz32', 'clz<i32>'],
  ['max', 'max<i32>'],
  ['min', 'min<i32>'],
]);

/** Operations that are others in functions of a flavour. */
export const flavours = new Map([
  [
    'plain$',
    new Map([
      ['readOnce', 'read'],
      ['loadAcquire', 'read'],
    ]),
  ],
  [
    'ordered$',
    new Map([
      ['read', 'readOnce'],
      ['smpRmb', 'ordered'],
    ]),
  ],
  [
    'waking$',
    new Map([
      ['fetchAdd', 'fetchAddWaking'],
      ['fetchAnd', 'fetchAndWaking'],
      ['storeRelease', 'storeReleaseWaking'],
    ]),
  ],
  ['alike$', new Map([['fetchAdd', 'fetchAddLike']])],
]);

/** Operations that are others on a word that only the vCPU itself writes. */
export const ownOperations = new Map([['fetchAdd', 'fetchAddOwn']]);

/** Operations of a word that there are for an address in bytes, too. */
export const byteOperations = new Set(
  (
    'read write readLocal writeLocal readOnce writeOnce loadAcquire storeRelease cmpxchg xchg ' +
    'fetchAdd fetchAnd fetchOr'
  ).split(' '),
);
