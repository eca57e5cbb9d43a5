/**
 * What a futex is known by (kernel/futex/core.c: get_futex_key()).
 *
 *   private   the address space and the address: nobody looks at the page
 *   shared    get_user_pages_fast() takes the page, and the page says: anonymous memory is the
 *             address space and the address again; a page of a file is the file and the place in
 *             it, so that every process that maps it means the same futex. A page that belongs to
 *             neither, as one that a grant is mapped over or one of gntalloc, has no key: -EFAULT.
 *
 * A file is known by a number that is given to it at its first futex (i_sequence), since the record
 * of an inode may be another file's later.
 */
import type { Op } from '../../shared/op.ts';
import { cmpxchg, fetchAdd, read, readLocal, readOnce, trace } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { setReg } from '../../hardware/vcpu.ts';
import { EFAULT, EINVAL } from '../errno.ts';
import { getUserPagesFast } from '../mm/gup-fast.ts';
import { FOLL_WRITE } from '../mm/gup.ts';
import { currentMm } from '../mm/mm-life.ts';
import { PG_anon, Page, putPage } from '../mm/page.ts';
import { TRACE_GUP_PUT } from '../tracepoints.ts';
import { accessOk, offsetInPage, pageBytes, vpnOf } from './copy-bytes.ts';
import { Inode, PG_mapping, lockPage, unlockPage } from './page-cache.ts';

/** The key is of the address space, without a look at the page. */
export const FUT_PRIVATE = 0;
/** FUT_OFF_MMSHARED: of the address space, found by a page of anonymous memory. */
export const FUT_OFF_MMSHARED = 2;
/** FUT_OFF_INODE: of a file. */
export const FUT_OFF_INODE = 1;

/** Registers with a key: kind, address space or file, page, offset. */
export const REG_KEY_KIND = 22;
export const REG_KEY_OBJECT = 23;
export const REG_KEY_PAGE = 24;
export const REG_KEY_OFFSET = 25;

export const FutexSequence = defineTable('futex.i_seq', [], {
  value: '[GST] the number that a file was given last',
});

/** The page of the futex in hand: on the kernel stack of the task. */
export const FutexPage = defineTable('%v.futex_page', ['vcpus'], {
  value: '[VCPU] page that get_user_pages returned',
});

/** sizeof(u32), or what a page of a tiny machine has. */
export function futexBytes(): number {
  return Math.min(4, pageBytes());
}

function setKey(v: number, kind: number, object: number, page: number, offset: number): void {
  setReg(v, REG_KEY_KIND, kind);
  setReg(v, REG_KEY_OBJECT, object);
  setReg(v, REG_KEY_PAGE, page);
  setReg(v, REG_KEY_OFFSET, offset);
}

/** kernel/futex/core.c: get_inode_sequence_number() */
function* inodeSequence(inode: number): Op {
  const word = Inode.sequence.at(inode);
  const old = yield* readOnce(word);
  if (old !== 0) return old;
  const number = (yield* fetchAdd(FutexSequence.value.word, 1)) + 1;
  const raced = yield* cmpxchg(word, 0, number);
  return raced === 0 ? number : raced;
}

/** The page, for writing, or only for reading if `rw` is. @returns 1, 0 if read-only, or error. */
function* lookupPage(v: number, vpn: number, readOnly: number): Op {
  const mm = currentMm(v);
  const out = FutexPage.value.at(v);
  const got = yield* getUserPagesFast(v, mm, vpn, 1, FOLL_WRITE, out);
  if (got > 0 || readOnly === 0) return got;
  const again = yield* getUserPagesFast(v, mm, vpn, 1, 0, out);
  return again > 0 ? 0 : again;
}

/** The key that a page gives. @returns 0, 1: look again, or -EFAULT. */
function* keyOfPage(v: number, pg: number, addr: number, writable: number): Op {
  const flags = yield* readOnce(Page.flags.at(pg));
  const offset = offsetInPage(addr);
  if ((flags & PG_anon) !== 0) {
    if (writable === 0) return -EFAULT;
    setKey(v, FUT_OFF_MMSHARED, currentMm(v), vpnOf(addr), offset);
    return 0;
  }
  if ((flags & PG_mapping) === 0) {
    // Is it on its way between the file and swap? Then look again.
    yield* lockPage(pg);
    const moved = ((yield* read(Page.flags.at(pg))) & PG_mapping) !== 0;
    yield* unlockPage(pg);
    return moved ? 1 : -EFAULT;
  }
  const inode = yield* read(Page.private.at(pg));
  const index = yield* read(Page.index.at(pg));
  if (((yield* readOnce(Page.flags.at(pg))) & PG_mapping) === 0) return 1;
  setKey(v, FUT_OFF_INODE, yield* inodeSequence(inode), index, offset);
  return 0;
}

/**
 * kernel/futex/core.c: get_futex_key(). The key comes in the registers REG_KEY_*.
 * @param v - vCPU of the task. @param addr - user address. @param shared - 1: FLAGS_SHARED.
 * @param readOnly - 1: FUTEX_READ, a page that may only be read will do if it is a file's.
 * @returns 0, -EINVAL (not aligned) or -EFAULT.
 */
export function* getFutexKey(v: number, addr: number, shared: number, readOnly: number): Op {
  if (addr < 0) return -EFAULT;
  if (addr % futexBytes() !== 0) return -EINVAL;
  if (!accessOk(addr, futexBytes())) return -EFAULT;
  if (shared === 0) {
    setKey(v, FUT_PRIVATE, currentMm(v), vpnOf(addr), offsetInPage(addr));
    return 0;
  }
  for (;;) {
    const writable = yield* lookupPage(v, vpnOf(addr), readOnly);
    if (writable < 0) return writable;
    const pg = readLocal(FutexPage.value.at(v));
    const status = yield* keyOfPage(v, pg, addr, writable);
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* putPage(v, pg);
    if (status <= 0) return status;
  }
}
