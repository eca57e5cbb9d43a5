/** What races of kernel backends have in common: grants mapped over ballooned pages. */
import { kernelBase } from '../../hardware/params.ts';
import { gnttabMapRefs, gnttabSetMapOp } from '../../linux/drivers/map-refs.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, writeLocal } from '../../shared/operations.ts';
import { GNTMAP_host_map, MAP_HANDLE } from '../../xen/public/grant-table.ts';
import { RaceGrant, RacePage } from '../process.ts';
import { hypercallRecord } from '../xen/hypercalls.ts';

/**
 * Maps a granted page at the kernel's address of a ballooned page, as blkback and netback do.
 * @param v - vCPU. @param grant - index of RaceGrant. @param pg - ballooned page.
 * @returns handle of the mapping.
 */
export function* mapGrantOverPage(v: number, grant: number, pg: number): Op {
  const op = hypercallRecord(v);
  const ref = readLocal(RaceGrant.ref.at(grant));
  const domid = readLocal(RaceGrant.domid.at(grant));
  const pages = RacePage.value.at2(v, 0);
  writeLocal(pages, pg);
  gnttabSetMapOp(op, kernelBase() + pfnOf(pg), GNTMAP_host_map, ref, domid);
  yield* gnttabMapRefs(v, op, 0, pages, 1);
  return yield* read(op + MAP_HANDLE);
}
