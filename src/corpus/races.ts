/** All races of the corpus. */
import { nonCoherentDma } from './dma-non-coherent.ts';
import { dmaUnmapForeign } from './dma-unmap-foreign.ts';
import { overrideAliasing } from './linux/l01-override-aliasing.ts';
import { unmapInUseOfBlkback } from './linux/l03-unmap-in-use.ts';
import { unmapThenReinstateRace } from './linux/l04-unmap-then-reinstate.ts';
import { releaseWithoutLock } from './linux/l10-release-without-lock.ts';
import { vmaSplit } from './linux/l11-vma-split.ts';
import { mapOverItselfRace } from './linux/l12-map-over-itself.ts';
import { kernelHandleLeak } from './linux/l13-kernel-handle-leak.ts';
import { queryThenEnd } from './linux/l20-query-then-end.ts';
import { deferredWithoutPage } from './linux/l21-deferred-without-page.ts';
import { threadStoppedEarly } from './linux/l25-thread-stopped-early.ts';
import { lostWakeUp } from './linux/l26-lost-wake-up.ts';
import { gupFastWithoutRecheck } from './linux/m01-gup-fast-without-recheck.ts';
import { tableFreedUnderWalker } from './linux/m02-table-freed-under-walker.ts';
import { unlinkedBeforeFlush } from './linux/m04-unlinked-before-flush.ts';
import { forkAndGupFast } from './linux/m06-fork-and-gup-fast.ts';
import { notifierRemove } from './linux/m08-notifier-remove.ts';
import { dontneedAndGup } from './dontneed-and-gup.ts';
import { oneFrameTwice } from './one-frame-twice.ts';
import { partialMunmap } from './partial-munmap.ts';
import type { Race } from './race.ts';
import { revokeAndMap } from './revoke-and-map.ts';
import { splitAndGup } from './split-and-gup.ts';
import { unmapAndGupFast } from './unmap-and-gup-fast.ts';
import { unmapInUse } from './unmap-in-use.ts';
import { vmspliceAndUnmap } from './vmsplice-and-unmap.ts';
import { unmapAccounting } from './xen/x01-unmap-accounting.ts';
import { doublePut } from './xen/x02-double-put.ts';
import { stealHandle } from './xen/x04-steal-handle.ts';
import { devBusAddr } from './xen/x05-dev-bus-addr.ts';
import { copyStatus } from './xen/x06-copy-status.ts';
import { copyRelease } from './xen/x07-copy-release.ts';
import { transitiveRetry } from './xen/x09-transitive-retry.ts';
import { statusFrame } from './xen/x13-status-frame.ts';
import { statusFrameAgain } from './xen/x15-status-frame-again.ts';
import { copyFrame } from './xen/x18-copy-frame.ts';
import { iommuUnderflow } from './xen/x22-iommu-underflow.ts';
import { iommuSkipped } from './xen/x23-iommu-skipped.ts';
import { typeChange } from './xen/x28-type-change.ts';

/** The questions that decide between designs. */
const questions: readonly Race[] = [
  oneFrameTwice,
  unmapInUse,
  splitAndGup,
  unmapAndGupFast,
  partialMunmap,
  revokeAndMap,
  dontneedAndGup,
  vmspliceAndUnmap,
  ...dmaUnmapForeign,
  ...nonCoherentDma,
];

/** Bugs of the hypervisor. */
const ofXen: readonly Race[] = [
  unmapAccounting,
  doublePut,
  stealHandle,
  devBusAddr,
  copyStatus,
  copyRelease,
  transitiveRetry,
  statusFrame,
  statusFrameAgain,
  copyFrame,
  iommuUnderflow,
  iommuSkipped,
  typeChange,
];

/** Bugs of Linux: drivers, then the memory manager. */
const ofLinux: readonly Race[] = [
  overrideAliasing,
  unmapInUseOfBlkback,
  unmapThenReinstateRace,
  releaseWithoutLock,
  vmaSplit,
  mapOverItselfRace,
  kernelHandleLeak,
  queryThenEnd,
  deferredWithoutPage,
  threadStoppedEarly,
  lostWakeUp,
  gupFastWithoutRecheck,
  tableFreedUnderWalker,
  unlinkedBeforeFlush,
  forkAndGupFast,
  notifierRemove,
];

export const races: readonly Race[] = [...questions, ...ofXen, ...ofLinux];
