/** All races of the corpus. */
import { queryThenEnd } from './linux/l20-query-then-end.ts';
import { deferredWithoutPage } from './linux/l21-deferred-without-page.ts';
import { oneFrameTwice } from './one-frame-twice.ts';
import type { Race } from './race.ts';
import { revokeAndMap } from './revoke-and-map.ts';
import { splitAndGup } from './split-and-gup.ts';
import { unmapInUse } from './unmap-in-use.ts';
import { stealHandle } from './xen/x04-steal-handle.ts';
import { unmapAccounting } from './xen/x01-unmap-accounting.ts';
import { typeChange } from './xen/x28-type-change.ts';

/** The questions that decide between designs. */
const questions: readonly Race[] = [oneFrameTwice, unmapInUse, splitAndGup, revokeAndMap];

/** Bugs of the hypervisor. */
const ofXen: readonly Race[] = [unmapAccounting, stealHandle, typeChange];

/** Bugs of Linux: drivers, then the memory manager. */
const ofLinux: readonly Race[] = [queryThenEnd, deferredWithoutPage];

export const races: readonly Race[] = [...questions, ...ofXen, ...ofLinux];
