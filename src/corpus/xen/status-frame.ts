/**
 * What the races of status frames begin with: a translated domain whose grant table has version 2.
 * One vCPU asks for a status frame at a gfn, another vCPU turns the table back to version 1.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { writeLocal } from '../../shared/operations.ts';
import {
  XENMAPIDX_grant_table_status,
  xenmemAddToPhysmapOne,
} from '../../xen/grant-table/map-frame.ts';
import { gnttabSetVersion } from '../../xen/grant-table/version.ts';
import { SET_VERSION_VERSION } from '../../xen/public/grant-table.ts';
import { FRONTEND } from '../process.ts';
import type { RaceActor } from '../race.ts';
import { hypercallRecord } from './hypercalls.ts';

/** Where the frame is to be. */
const GFN = 1;

/** The frontend is translated; a table of one frame, so that there is one status frame. */
export const translatedFrontend = {
  vcpusPerDomain: 3,
  translatedDomains: 1 << FRONTEND,
  gnttabInitialFrames: 1,
};

function* setVersion(v: number, version: number): Op<void> {
  const op = hypercallRecord(v);
  writeLocal(op + SET_VERSION_VERSION, version);
  yield* gnttabSetVersion(v, op);
}

/** The table has version 2 and a status frame. */
export function* arrangeVersion2(): Op<void> {
  yield* setVersion(firstVcpuOf(FRONTEND), 2);
}

function* enterStatusFrame(): Op<void> {
  const v = firstVcpuOf(FRONTEND);
  yield* xenmemAddToPhysmapOne(v, FRONTEND, XENMAPIDX_grant_table_status, GFN);
}

function* backToVersion1(): Op<void> {
  yield* setVersion(firstVcpuOf(FRONTEND) + 1, 1);
}

/** Two vCPUs of the frontend. */
export const enterAndFree: readonly RaceActor[] = [
  { role: 'add to physmap', vcpu: 3, body: enterStatusFrame },
  { role: 'set version', vcpu: 4, body: backToVersion1 },
];
