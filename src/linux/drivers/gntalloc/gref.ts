/**
 * Pages that user space grants to others: drivers/xen/gntalloc.c, its objects.
 *
 * Gntalloc.mutex   gref_mutex: protects both lists, GntallocGref and GntallocVma
 * GntallocGref     one granted page; users = 1 for the open file + 1 for each mapping
 *   nextGref       on the domain's list of all grefs, in the order of their making
 *   nextFile       on the list of its file, until it is deallocated
 * A gref without users on the domain's list goes with the next call (do_cleanup).
 */
import { cpuStore } from '../../../hardware/access.ts';
import { domainOf, kernelBase } from '../../../hardware/params.ts';
import type { Op } from '../../../shared/op.ts';
import { read, write } from '../../../shared/operations.ts';
import { slabFree } from '../../../shared/slab.ts';
import { defineTable } from '../../../shared/table.ts';
import { evtchnSend } from '../../../xen/event-channel.ts';
import { NO_PAGE, pfnOf, putPage } from '../../mm/page.ts';
import { gnttabEndForeignAccess } from '../grant-table.ts';
import { evtchnPut } from '../events.ts';
import { initListHead, listDel } from '../list.ts';
import { UNMAP_NOTIFY_CLEAR_BYTE, UNMAP_NOTIFY_SEND_EVENT } from '../../uapi/gntdev.ts';

/** No gref: the null pointer. */
export const NO_GREF = -1;

export const Gntalloc = defineTable(
  'linux[d%].gntalloc',
  ['domains'],
  {
    mutex: '[GST] gref_mutex',
    grefNext: '[GST] head of all grefs of the domain: first',
    grefPrev: '[GST] head of all grefs of the domain: last',
    grefSize: '[GST] gref_size: grefs that are made or being made',
  },
  { lineAligned: true },
);

export const GntallocFile = defineTable(
  'gntalloc[%]',
  ['gntallocs'],
  {
    users: '[GST] references of the open file: the descriptor and one for each mapping',
    index: '[GST] next free page offset',
    fileNext: '[GST] head of its grefs: first',
    filePrev: '[GST] head of its grefs: last',
  },
  { lineAligned: true },
);

export const GntallocFileBitmap = defineTable('gntalloc_bitmap[%]', ['gntallocWords'], {
  value: '[GST] open files in use (kmalloc)',
});

export const GntallocGref = defineTable('gntalloc_gref[%]', ['grefs'], {
  nextGref: '[GST] list of the domain: next node',
  prevGref: '[GST] list of the domain: previous node',
  nextFile: '[GST] list of the file: next node',
  prevFile: '[GST] list of the file: previous node',
  page: '[GST] the granted page, NO_PAGE before it is there',
  fileIndex: '[GST] page offset in the file',
  users: '[GST] file and mappings',
  ref: '[GST] grant reference, 0 before it is there',
  notifyFlags: '[GST] UNMAP_NOTIFY_*',
  notifyOffset: '[GST] word of the page that is cleared',
  notifyPort: '[GST] event channel to send to',
});

export const GntallocGrefBitmap = defineTable('gntalloc_gref_bitmap[%]', ['grefWords'], {
  value: '[GST] grefs in use (kmalloc)',
});

export const GntallocVma = defineTable('gntalloc_vma[%]', ['gntallocVmas'], {
  gref: '[GST] first gref of the mapping',
  users: '[GST] VMAs of the mapping',
  count: '[GST] pages of the mapping',
  file: '[GST] its file',
});

export const GntallocVmaBitmap = defineTable('gntalloc_vma_bitmap[%]', ['gntallocVmaWords'], {
  value: '[GST] mappings in use (kmalloc)',
});

/** gntalloc_init(). @param d - domain. */
export function initGntalloc(d: number): void {
  initListHead(Gntalloc.grefNext.at(d));
}

/** container_of(): the gref of a node of the domain's list. */
export function grefOfNode(node: number): number {
  return ((node - GntallocGref.nextGref.word) / GntallocGref.nextGref.stride) | 0;
}

/** container_of(): the gref of a node of a file's list. */
export function grefOfFileNode(node: number): number {
  return ((node - GntallocGref.nextFile.word) / GntallocGref.nextFile.stride) | 0;
}

/** The notifications of a gref that is unmapped here for good. */
function* notifyUnmap(v: number, gref: number): Op<void> {
  const flags = yield* read(GntallocGref.notifyFlags.at(gref));
  if ((flags & UNMAP_NOTIFY_CLEAR_BYTE) !== 0) {
    const pfn = pfnOf(yield* read(GntallocGref.page.at(gref)));
    yield* cpuStore(v, kernelBase() + pfn, yield* read(GntallocGref.notifyOffset.at(gref)), 0);
  }
  if ((flags & UNMAP_NOTIFY_SEND_EVENT) !== 0) {
    const port = yield* read(GntallocGref.notifyPort.at(gref));
    yield* evtchnSend(v, port);
    yield* evtchnPut(v, port);
  }
  yield* write(GntallocGref.notifyFlags.at(gref), 0);
}

/**
 * drivers/xen/gntalloc.c: __del_gref(). The caller holds the mutex. A grant that is still mapped
 * and its page wait on the deferred list (since d3b6372c5881, XSA-396; before, the gref stayed on
 * the domain's list and every later call asked whether it was still mapped).
 * @param v - vCPU. @param gref - gref without users.
 */
export function* delGref(v: number, gref: number): Op<void> {
  yield* notifyUnmap(v, gref);
  const ref = yield* read(GntallocGref.ref.at(gref));
  const pg = yield* read(GntallocGref.page.at(gref));
  if (ref > 0) yield* gnttabEndForeignAccess(v, ref, pg);
  else if (pg !== NO_PAGE) yield* putPage(v, pg);
  const size = Gntalloc.grefSize.at(domainOf(v));
  yield* write(size, (yield* read(size)) - 1);
  yield* listDel(GntallocGref.nextGref.at(gref));
  yield* slabFree(GntallocGrefBitmap.value.word, gref);
}

/** drivers/xen/gntalloc.c: do_cleanup(). The caller holds the mutex. @param d - domain. */
export function* doCleanup(v: number, d: number): Op<void> {
  const head = Gntalloc.grefNext.at(d);
  let node = yield* read(head);
  while (node !== head) {
    const next = yield* read(node);
    const gref = grefOfNode(node);
    if ((yield* read(GntallocGref.users.at(gref))) === 0) yield* delGref(v, gref);
    node = next;
  }
}

/** One user less. The caller holds the mutex. @returns users left. */
export function* dropGrefUser(gref: number): Op {
  const users = (yield* read(GntallocGref.users.at(gref))) - 1;
  yield* write(GntallocGref.users.at(gref), users);
  return users;
}

/**
 * drivers/xen/gntalloc.c: find_grefs(): consecutive offsets in a file. Caller holds the mutex.
 * @param file - file. @param index - first page offset. @param count - pages.
 * @returns the first gref, or NO_GREF.
 */
export function* findGrefs(file: number, index: number, count: number): Op {
  const head = GntallocFile.fileNext.at(file);
  let first = NO_GREF;
  let wanted = index;
  let node = yield* read(head);
  while (node !== head) {
    const gref = grefOfFileNode(node);
    const at = yield* read(GntallocGref.fileIndex.at(gref));
    if (at === wanted) {
      if (first === NO_GREF) first = gref;
      wanted++;
      if (wanted === index + count) return first;
    } else if (first !== NO_GREF) {
      return NO_GREF;
    }
    node = yield* read(node);
  }
  return NO_GREF;
}
