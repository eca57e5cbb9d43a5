/**
 * move_pages(2) without nodes: where is each page? (mm/migrate.c: do_pages_stat_array()). There is
 * one node. The look-up is follow_page(FOLL_GET | FOLL_DUMP), with mmap_lock held for reading:
 * nothing is faulted in.
 *
 *   0         the page is on node 0
 *   -EFAULT   no VMA; or no page, and nothing that could bring one; or no struct page
 *   -ENOENT   not there now; or a page of ZONE_DEVICE, which is on no node: since 5.9 those that
 *             grants are mapped over are (drivers/xen/unpopulated-alloc.c)
 *
 * Not modelled: moving.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace, writeLocal } from '../../shared/operations.ts';
import { FIND_NORMAL_PAGE, design } from '../designs/design.ts';
import { EFAULT, EINVAL, ENOENT, ESRCH } from '../errno.ts';
import { FOLL_DUMP, followPagePte } from '../mm/gup.ts';
import { currentMm, mmget, mmput } from '../mm/mm-life.ts';
import { NO_MM, mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { NO_PAGE, PG_foreign, Page, putPage } from '../mm/page.ts';
import { NO_VMA, Vma } from '../mm/vma.ts';
import { vmaLookup } from '../mm/vma-tree.ts';
import { VM_OPS_SHMEM } from '../mm/vm-ops.ts';
import { getTaskMm } from '../process/task.ts';
import { TRACE_GUP, TRACE_GUP_PUT } from '../tracepoints.ts';
import { vpnOf } from './copy-bytes.ts';

/** include/linux/mm.h: is_zone_device_page(). @returns 1 or 0. */
function* isZoneDevicePage(pg: number): Op {
  if (design() !== FIND_NORMAL_PAGE) return 0;
  return ((yield* read(Page.flags.at(pg))) & PG_foreign) !== 0 ? 1 : 0;
}

/** mm/gup.c: no_page_table(): there is no entry. Only a file could bring a page. */
function* noPage(vma: number): Op {
  return (yield* read(Vma.ops.at(vma))) === VM_OPS_SHMEM ? -ENOENT : -EFAULT;
}

/** One page of do_pages_stat_array(). @returns 0 or a negative errno. */
function* statPage(v: number, mm: number, addr: number): Op {
  const vpn = vpnOf(addr);
  const vma = addr < 0 ? NO_VMA : yield* vmaLookup(mm, vpn);
  if (vma === NO_VMA) return -EFAULT;
  const pg = yield* followPagePte(v, mm, vma, vpn, FOLL_DUMP);
  if (pg === NO_PAGE) return yield* noPage(vma);
  if (pg < 0) return pg;
  trace(TRACE_GUP, vpn, pg, mm);
  const status = (yield* isZoneDevicePage(pg)) === 1 ? -ENOENT : 0;
  trace(TRACE_GUP_PUT, pg, 0, 0);
  yield* putPage(v, pg);
  return status;
}

/**
 * move_pages(2) with nodes = NULL
 * @param v - vCPU of the task. @param pid - whose pages, 0: its own. @param count - pages.
 * @param pages - word of an array of addresses. @param status - word of an array for the answers.
 * @returns 0, -EINVAL or -ESRCH.
 */
export function* sysMovePagesQuery(
  v: number,
  pid: number,
  count: number,
  pages: number,
  status: number,
): Op {
  if (count < 0) return -EINVAL;
  const own = currentMm(v);
  if (pid === 0) yield* mmget(own);
  const mm = pid === 0 ? own : yield* getTaskMm(v, pid);
  if (mm === NO_MM) return -ESRCH;
  yield* mmapReadLock(mm);
  for (let i = 0; i < count; i++) {
    writeLocal(status + i, yield* statPage(v, mm, readLocal(pages + i)));
  }
  yield* mmapReadUnlock(mm);
  yield* mmput(v, mm);
  return 0;
}
