/**
 * Copies by virtual address: memcpy() between kernel pages, and copy_from_user(), copy_to_user()
 * (arch/x86/lib/usercopy_64.c, lib/iov_iter.c: copyin(), copyout()).
 *
 * A byte is a word of a frame: a page has frameWordCount() bytes, 4096 where calls are compared
 * with those of life, 2 in a tiny machine. An address is vpn * pageBytes() + offset.
 *
 * Functions here take a vpn and an offset from there, which may lead into later pages. Vpns of the
 * kernel half are the direct map: a page behind pfn at kernelBase + pfn, as kmap_local_page() gives
 * it; that is where the kernel reaches the frame of a grant too.
 */
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { frameWordCount, kernelBase } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { warnOn } from '../../shared/operations.ts';
import { BUG_DIRECT_MAP, BUG_KERNEL_READ_FAULT } from '../mm/bugs.ts';
import { pfnOf } from '../mm/page.ts';
import { userLoad, userStore } from '../mm/user-access.ts';

/** Page faults of user addresses are handled. */
export const COPY_FAULT = 0;
/** pagefault_disable(): a fault ends the copy; for who holds what the fault handler needs. */
export const COPY_ATOMIC = 1;

/** PAGE_SIZE */
export function pageBytes(): number {
  return frameWordCount();
}

/** The page of an address, which is not negative. @returns vpn. */
export function vpnOf(addr: number): number {
  return (addr / pageBytes()) | 0;
}

/** offset_in_page() */
export function offsetInPage(addr: number): number {
  return addr - vpnOf(addr) * pageBytes();
}

/** Pages that a range touches. @param addr - address, or offset in the first page. */
export function pagesOfRange(addr: number, bytes: number): number {
  return bytes === 0 ? 0 : vpnOf(addr + bytes - 1) - vpnOf(addr) + 1;
}

/** arch/x86/include/asm/uaccess.h: access_ok() */
export function accessOk(addr: number, bytes: number): boolean {
  const limit = kernelBase() * pageBytes();
  return addr >= 0 && bytes >= 0 && bytes <= limit && addr <= limit - bytes;
}

/** kmap_local_page(). @returns kernel vpn of a page. */
export function kmap(pg: number): number {
  return kernelBase() + pfnOf(pg);
}

/** A load; a kernel address that is not mapped is an oops. @returns 0, or not. */
function* load(v: number, mm: number, vpn: number, offset: number, mode: number): Op {
  if (vpn < kernelBase()) {
    if (mode === COPY_FAULT) return yield* userLoad(v, mm, vpn, offset);
    return yield* cpuLoad(v, vpn, offset);
  }
  const fault = yield* cpuLoad(v, vpn, offset);
  warnOn(fault !== 0, BUG_KERNEL_READ_FAULT, vpn, fault);
  return fault;
}

/** A store. @returns 0, or not. */
function* store(
  v: number,
  mm: number,
  vpn: number,
  offset: number,
  value: number,
  mode: number,
): Op {
  if (vpn < kernelBase()) {
    if (mode === COPY_FAULT) return yield* userStore(v, mm, vpn, offset, value);
    return yield* cpuStore(v, vpn, offset, value);
  }
  const fault = yield* cpuStore(v, vpn, offset, value);
  warnOn(fault !== 0, BUG_DIRECT_MAP, vpn, fault);
  return fault;
}

/**
 * Copies bytes, upwards, until one of the two addresses faults.
 * @param v - vCPU that runs in `mm`. @param to - vpn. @param toOffset - bytes from there.
 * @param from - vpn. @param fromOffset - bytes from there. @param bytes - how many.
 * @param mode - COPY_*. @returns bytes copied.
 */
export function* copyBytes(
  v: number,
  mm: number,
  to: number,
  toOffset: number,
  from: number,
  fromOffset: number,
  bytes: number,
  mode: number,
): Op {
  for (let done = 0; done < bytes; done++) {
    const src = fromOffset + done;
    const dst = toOffset + done;
    if ((yield* load(v, mm, from + vpnOf(src), offsetInPage(src), mode)) !== 0) return done;
    const value = reg(v, REG_VALUE);
    if ((yield* store(v, mm, to + vpnOf(dst), offsetInPage(dst), value, mode)) !== 0) return done;
  }
  return bytes;
}

/**
 * arch/x86/lib/usercopy_64.c: clear_user(), and memset() of a kernel page.
 * @param vpn - and `offset` bytes from there. @returns bytes that were cleared, fewer at a fault.
 */
export function* clearUser(v: number, mm: number, vpn: number, offset: number, bytes: number): Op {
  for (let done = 0; done < bytes; done++) {
    const at = offset + done;
    const status = yield* store(v, mm, vpn + vpnOf(at), offsetInPage(at), 0, COPY_FAULT);
    if (status !== 0) return done;
  }
  return bytes;
}

/** zero_user(). @param pg - page that the caller holds. */
export function* zeroBytes(v: number, pg: number, offset: number, bytes: number): Op<void> {
  yield* clearUser(v, -1, kmap(pg), offset, bytes);
}
