/**
 * Goal: gntdev's copy moves what was asked and no more, says of each segment what Xen said of its
 * first failing piece, and keeps no page.
 * Method: calls alone on a small machine; a page is a few words, so a segment crosses pages easily.
 */
import { describe, expect, test } from 'vitest';
import { cpuLoad, cpuStore } from '../../../../src/hardware/access.ts';
import { frameWord } from '../../../../src/hardware/paging.ts';
import { REG_VALUE, reg } from '../../../../src/hardware/vcpu.ts';
import { FIND_NORMAL_PAGE, FIND_SPECIAL_PAGE } from '../../../../src/linux/designs/design.ts';
import { gntdevIoctl } from '../../../../src/linux/drivers/gntdev/dispatch.ts';
import { gntdevOpen } from '../../../../src/linux/drivers/gntdev/file.ts';
import { EFAULT, EINVAL, ENOTTY } from '../../../../src/linux/errno.ts';
import { mmapRegion } from '../../../../src/linux/mm/mmap.ts';
import { P2m } from '../../../../src/linux/mm/p2m.ts';
import { Page } from '../../../../src/linux/mm/page.ts';
import { userStore } from '../../../../src/linux/mm/user-access.ts';
import { VM_OPS_ANONYMOUS } from '../../../../src/linux/mm/vm-ops.ts';
import { VM_READ, VM_WRITE } from '../../../../src/linux/mm/vma.ts';
import {
  COPY_SEGMENT_STATUS,
  COPY_SEGMENT_WORDS,
  IOCTL_GNTDEV_GRANT_COPY,
  IOCTL_GNTDEV_SET_MAX_GRANTS,
} from '../../../../src/linux/uapi/gntdev.ts';
import { runAlone, writeLocal } from '../../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../../src/xen/grant-table/active.ts';
import {
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_bad_page,
  GNTST_general_error,
} from '../../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  MAPPER,
  TASK,
  bootGuests,
  grantPage,
  mapGrants,
  must,
  now,
  result,
  userSpace,
} from '../guests.ts';

const VPN = 8;
const READ_ONLY = 11;
const WORDS = 8;
const UNTOUCHED = 77;

type Side = { readonly ref: number; readonly offset: number; readonly domid?: number };
type Local = { readonly vpn: number; readonly offset: number };

interface Segment {
  readonly from: Side | Local;
  readonly to: Side | Local;
  readonly len: number;
}

function side(words: number, at: Side | Local): void {
  writeLocal(words, 'ref' in at ? at.ref : at.vpn);
  writeLocal(words + 1, at.offset);
  writeLocal(words + 2, 'ref' in at ? (at.domid ?? GRANTER) : 0);
}

/** The ioctl. @returns its result and the statuses. */
function copy(mm: number, fd: number, segments: readonly Segment[]): [number, number[]] {
  const first = result(8);
  segments.forEach(({ from, to, len }, i) => {
    const words = first + i * COPY_SEGMENT_WORDS;
    side(words, from);
    side(words + 3, to);
    writeLocal(words + 6, len);
    const flags = ('ref' in from ? GNTCOPY_source_gref : 0) | ('ref' in to ? GNTCOPY_dest_gref : 0);
    writeLocal(words + 7, flags);
    writeLocal(words + COPY_SEGMENT_STATUS, UNTOUCHED);
  });
  writeLocal(result(0), segments.length);
  writeLocal(result(1), first);
  const status = runAlone(gntdevIoctl(TASK, mm, fd, IOCTL_GNTDEV_GRANT_COPY, result(0)));
  return [
    status,
    segments.map((_, i) => now(first + i * COPY_SEGMENT_WORDS + COPY_SEGMENT_STATUS)),
  ];
}

function boot(design = FIND_NORMAL_PAGE) {
  bootGuests({ design, frameWords: WORDS, arguments: 512 });
  const mm = userSpace(TASK);
  const fd = must(runAlone(gntdevOpen(TASK, mm)));
  const rw = VM_READ | VM_WRITE;
  must(runAlone(mmapRegion(TASK, mm, VPN, 2, rw, VM_OPS_ANONYMOUS, -1, 0)));
  must(runAlone(mmapRegion(TASK, mm, READ_ONLY, 1, VM_READ, VM_OPS_ANONYMOUS, -1, 0)));
  for (let i = 0; i < 2 * WORDS; i++) {
    must(runAlone(userStore(TASK, mm, VPN + (i >> 3), i & 7, 100 + i)));
  }
  const grants = [grantPage(), grantPage(), grantPage(1)];
  const granted = (g: number, i: number): number => {
    return frameWord(now(P2m.value.at(grants[g]?.page ?? 0)), i);
  };
  for (let i = 0; i < WORDS; i++) writeLocal(granted(0, i), 500 + i);
  const refs = grants.map((grant) => grant.ref);
  return { mm, fd, refs: refs as [number, number, number], granted };
}

function local(vpn: number, i: number): number {
  expect(runAlone(cpuLoad(TASK, vpn, i))).toBe(0);
  return reg(TASK, REG_VALUE);
}

/** References and pins of all pages of the task's domain. */
function references(): number {
  let sum = 0;
  for (let pfn = 0; pfn < Page.refcount.count; pfn++) {
    sum += now(Page.refcount.at2(MAPPER, pfn));
  }
  return sum;
}

describe('GRANT_COPY', () => {
  test('copies from a grant across pages of the task, and from the task into a grant', () => {
    const { mm, fd, refs, granted } = boot();
    const from = { from: { ref: refs[0], offset: 0 }, to: { vpn: VPN, offset: 5 }, len: WORDS };
    expect(copy(mm, fd, [from])).toEqual([0, [0]]);
    const words = Array.from({ length: 2 * WORDS }, (_, i) => local(VPN + (i >> 3), i & 7));
    expect(words.slice(0, 5)).toEqual([100, 101, 102, 103, 104]);
    expect(words.slice(5, 13)).toEqual([500, 501, 502, 503, 504, 505, 506, 507]);
    expect(words.slice(13)).toEqual([113, 114, 115]);
    const to = { from: { vpn: VPN, offset: 0 }, to: { ref: refs[1], offset: 2 }, len: 3 };
    expect(copy(mm, fd, [to])).toEqual([0, [0]]);
    expect([2, 3, 4].map((i) => now(granted(1, i)))).toEqual([100, 101, 102]);
    for (const ref of refs) expect(now(ActiveEntry.pin.at2(GRANTER, ref))).toBe(0);
  });

  test('keeps no page, whether it copies, is refused or gives up halfway', () => {
    const { mm, fd, refs } = boot();
    const before = references();
    const good = { from: { ref: refs[0], offset: 0 }, to: { vpn: VPN, offset: 4 }, len: WORDS };
    expect(copy(mm, fd, [good, good])[0]).toBe(0);
    expect(references()).toBe(before);
    const readonly = { from: { vpn: VPN, offset: 0 }, to: { ref: refs[2], offset: 0 }, len: 1 };
    expect(copy(mm, fd, [readonly])[0]).toBe(0);
    expect(references()).toBe(before);
    const nowhere = { from: { ref: refs[0], offset: 0 }, to: { vpn: 20, offset: 0 }, len: 1 };
    expect(copy(mm, fd, [good, nowhere])[0]).toBe(-EFAULT);
    expect(references()).toBe(before);
  });

  test('refuses a segment before anything is written of it', () => {
    const { mm, fd, refs } = boot();
    const here = { vpn: VPN, offset: 0 };
    const beyond = { from: { ref: refs[0], offset: 1 }, to: here, len: WORDS };
    expect(copy(mm, fd, [beyond])).toEqual([-EINVAL, [UNTOUCHED]]);
    expect(copy(mm, fd, [{ from: here, to: here, len: 1 }])).toEqual([-EINVAL, [UNTOUCHED]]);
    const nowhere = { vpn: 20, offset: 0 };
    const into = (to: Local): Segment => ({ from: { ref: refs[0], offset: 0 }, to, len: 1 });
    expect(copy(mm, fd, [into(nowhere)])).toEqual([-EFAULT, [0]]);
    expect(copy(mm, fd, [into({ vpn: READ_ONLY, offset: 0 })])).toEqual([-EFAULT, [0]]);
    expect(copy(mm, fd, [])).toEqual([0, []]);
    expect(copy(mm, fd, [{ from: { ref: 99, offset: 0 }, to: here, len: 0 }])).toEqual([0, [0]]);
  });

  test('says of each segment what Xen said', () => {
    const { mm, fd, refs } = boot();
    const here = { vpn: VPN, offset: 0 };
    const good = { from: { ref: refs[0], offset: 0 }, to: here, len: 1 };
    const badRef = { from: { ref: 100_000, offset: 0 }, to: here, len: 1 };
    expect(copy(mm, fd, [good, badRef, good])).toEqual([0, [0, GNTST_bad_gntref, 0]]);
    const badDomain = { from: { ref: refs[0], offset: 0, domid: 5 }, to: here, len: 1 };
    expect(copy(mm, fd, [badDomain])).toEqual([0, [GNTST_bad_domain]]);
    const readonly = { from: here, to: { ref: refs[2], offset: 0 }, len: 1 };
    expect(copy(mm, fd, [readonly])).toEqual([0, [GNTST_general_error]]);
  });

  test('of several pieces that fail, says what came of the first', () => {
    const { mm, fd, refs } = boot();
    mapGrants(mm, [refs[1]], 14);
    expect(runAlone(cpuStore(TASK, 14, 0, 1))).toBe(0);
    must(runAlone(mmapRegion(TASK, mm, 15, 1, VM_READ | VM_WRITE, VM_OPS_ANONYMOUS, -1, 0)));
    must(runAlone(userStore(TASK, mm, 15, 0, 1)));
    const foreign = { from: { vpn: 14, offset: 4 }, to: { ref: refs[2], offset: 0 }, len: 4 };
    const readonly = { from: { vpn: 15, offset: 0 }, to: { ref: refs[2], offset: 0 }, len: 4 };
    expect(copy(mm, fd, [foreign, readonly])).toEqual([0, [GNTST_bad_page, GNTST_general_error]]);
    expect(copy(mm, fd, [{ ...foreign, len: 8 }])).toEqual([0, [GNTST_bad_page]]);
  });

  test('more pieces than a batch has room for', () => {
    const { mm, fd, refs, granted } = boot();
    const segments = Array.from({ length: 20 }, (_, i) => ({
      from: { vpn: VPN, offset: i & 7 },
      to: { ref: refs[1], offset: i & 7 },
      len: 1,
    }));
    expect(copy(mm, fd, segments)).toEqual([0, Array.from({ length: 20 }, () => 0)]);
    expect(now(granted(1, 7))).toBe(107);
  });

  test('a page of another domain is none of the caller’s', () => {
    const { mm, fd, refs } = boot();
    const mapping = mapGrants(mm, [refs[1]], 14);
    expect(runAlone(cpuStore(TASK, 14, 0, 1))).toBe(0);
    const segment = { from: { ref: refs[0], offset: 0 }, to: { vpn: 14, offset: 0 }, len: 1 };
    expect(copy(mm, fd, [segment])).toEqual([0, [GNTST_bad_page]]);
    expect(mapping.vpn).toBe(14);
  });

  test('exists since 4.8; SET_MAX_GRANTS never did', () => {
    const { mm, fd } = boot(FIND_SPECIAL_PAGE);
    expect(copy(mm, fd, [])).toEqual([-ENOTTY, []]);
    const max = gntdevIoctl(TASK, mm, fd, IOCTL_GNTDEV_SET_MAX_GRANTS, result(0));
    expect(runAlone(max)).toBe(-ENOTTY);
  });

  test('a null argument is a fault', () => {
    const { mm, fd } = boot();
    expect(runAlone(gntdevIoctl(TASK, mm, fd, IOCTL_GNTDEV_GRANT_COPY, 0))).toBe(-EFAULT);
  });
});
