/**
 * UNMAP_NOTIFY_CLEAR_BYTE: what unmapping does first for a user who asked to be noticed
 * (drivers/xen/gntdev.c: __unmap_grant_pages()).
 */
import { cpuStore } from '../../../hardware/access.ts';
import { kernelBase } from '../../../hardware/params.ts';
import type { Op } from '../../../shared/op.ts';
import { read, write } from '../../../shared/operations.ts';
import { pfnOf } from '../../mm/page.ts';
import { GrantMap, MapPage } from './grant-map.ts';
import { UNMAP_NOTIFY_CLEAR_BYTE } from '../../uapi/gntdev.ts';

/**
 * Clears the word that the user named, if its page is among those that are unmapped.
 * @param offset - first slot of them. @param pages - how many.
 */
export function* clearNotifyByte(v: number, map: number, offset: number, pages: number): Op<void> {
  const flags = yield* read(GrantMap.notifyFlags.at(map));
  if ((flags & UNMAP_NOTIFY_CLEAR_BYTE) === 0) return;
  const page = yield* read(GrantMap.notifyPage.at(map));
  if (page < offset || page >= offset + pages) return;
  const pfn = pfnOf(yield* read(MapPage.value.at2(map, page)));
  yield* cpuStore(v, kernelBase() + pfn, yield* read(GrantMap.notifyOffset.at(map)), 0);
  yield* write(GrantMap.notifyFlags.at(map), flags & ~UNMAP_NOTIFY_CLEAR_BYTE);
}
