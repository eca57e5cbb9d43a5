/**
 * Goal: the grant table here is Xen's, bit for bit where a guest sees it.
 * Method: a C program compiled against Xen's public headers prints sizes, offsets and constants;
 * each is compared with the tables' declarations and with the constants of src/xen/public.
 */
import { describe, expect, test } from 'vitest';
import { realSizes } from '../../../src/actors/machine.ts';
import { Params } from '../../../src/hardware/params.ts';
import { createMachine } from '../../../src/shared/layout.ts';
import {
  DOMID_SHIFT,
  GrantEntry,
  GrantStatus,
  entryHeader,
  sharedEntryFrame,
  sharedEntryFrameHigh,
  sharedEntryHeader,
  sharedEntryPart,
  sharedEntryTransGref,
  subPagePart,
} from '../../../src/xen/grant-table/entry.ts';
import { XenParams } from '../../../src/xen/params.ts';
import * as evtchn from '../../../src/xen/public/event-channel.ts';
import * as grant from '../../../src/xen/public/grant-table.ts';
import * as xen from '../../../src/xen/public/xen.ts';
import { headersMissing, valuesInC } from '../../compiled-headers.ts';

/** A value here, and the C expression that must have it. */
type Row = readonly [string, number];

const WORD_BYTES = 4;

function sizes(): Row[] {
  const perFrame = realSizes['gnttabPerFrame'] ?? 0;
  const entryBytes = GrantEntry.shape.fieldNames.length * WORD_BYTES;
  return [
    ['sizeof(struct grant_entry_v1)', entryBytes],
    ['sizeof(grant_entry_v2_t)', entryBytes * 2],
    ['4096 / sizeof(struct grant_entry_v1)', perFrame],
    ['4096 / sizeof(grant_entry_v2_t)', perFrame / 2],
    ['4096 / sizeof(grant_status_t)', realSizes['gnttabStatusPerFrame'] ?? 0],
    ['GNTTAB_NR_RESERVED_ENTRIES', grant.GNTTAB_NR_RESERVED_ENTRIES],
    ['GNTTAB_NR_RESERVED_ENTRIES', realSizes['reservedEntries'] ?? 0],
  ];
}

/** Bytes from the header of entry 5 to a word of it. */
function from(word: number, version: number): number {
  return (word - sharedEntryHeader(0, 5, version)) * WORD_BYTES;
}

function offsets(): Row[] {
  const tables = [GrantEntry, GrantStatus, Params, XenParams];
  createMachine(tables, { domains: 1, gnttabEntries: 64, gnttabV2Entries: 32 });
  const bitsOfByte = 8;
  return [
    ['offsetof(struct grant_entry_v1, flags)', from(sharedEntryHeader(0, 5, 1), 1)],
    ['offsetof(struct grant_entry_v1, domid)', DOMID_SHIFT / bitsOfByte],
    ['offsetof(struct grant_entry_v1, frame)', from(sharedEntryFrame(0, 5, 1), 1)],
    ['offsetof(grant_entry_v2_t, hdr.flags)', from(sharedEntryHeader(0, 5, 2), 2)],
    ['offsetof(grant_entry_v2_t, hdr.domid)', DOMID_SHIFT / bitsOfByte],
    ['offsetof(grant_entry_v2_t, full_page.frame)', from(sharedEntryFrame(0, 5, 2), 2)],
    ['offsetof(grant_entry_v2_t, full_page.frame) + 4', from(sharedEntryFrameHigh(0, 5), 2)],
    ['offsetof(grant_entry_v2_t, sub_page.page_off)', from(sharedEntryPart(0, 5), 2)],
    ['offsetof(grant_entry_v2_t, sub_page.frame)', from(sharedEntryFrame(0, 5, 2), 2)],
    ['offsetof(grant_entry_v2_t, transitive.trans_domid)', from(sharedEntryPart(0, 5), 2)],
    ['offsetof(grant_entry_v2_t, transitive.gref)', from(sharedEntryTransGref(0, 5), 2)],
    ['sizeof(grant_entry_v2_t)', from(sharedEntryHeader(0, 6, 2), 2)],
    ['sizeof(struct grant_entry_v1)', from(sharedEntryHeader(0, 6, 1), 1)],
  ];
}

/** How the halves of a word are packed, seen through C's own structures. */
function packing(): Row[] {
  const header = '((union { struct grant_entry_header h; uint32_t w; }){ .h = { 0x19, 7 } }).w';
  const part =
    '((union { grant_entry_v2_t e; uint32_t w[4]; })' +
    '{ .e.sub_page = { .page_off = 3, .length = 9 } }).w[1]';
  return [
    [header, entryHeader(0x19, 7)],
    [part, subPagePart(3, 9)],
  ];
}

/** Every exported number whose name Xen has too. */
function constants(module: Readonly<Record<string, unknown>>, names: RegExp): Row[] {
  return Object.entries(module).flatMap(([name, value]) =>
    names.test(name) && typeof value === 'number' ? [[name, value] as const] : [],
  );
}

/** GNTMAP_guest_avail0 is the lowest bit of a mask in the header; -Exxx are XEN_Exxx there. */
function inC(name: string): string {
  if (name === 'GNTMAP_guest_avail0') return '1 << _GNTMAP_guest_avail0';
  return name;
}

/** Fields of a record of operands, ours and C's, in the order in which ours lie. */
const records: readonly (readonly [string, readonly string[], readonly number[]])[] = [
  [
    'struct gnttab_map_grant_ref',
    ['host_addr', 'flags', 'ref', 'dom', 'status', 'handle', 'dev_bus_addr'],
    [
      grant.MAP_HOST_ADDR,
      grant.MAP_FLAGS,
      grant.MAP_REF,
      grant.MAP_DOM,
      grant.MAP_STATUS,
      grant.MAP_HANDLE,
      grant.MAP_DEV_BUS_ADDR,
    ],
  ],
  [
    'struct gnttab_unmap_grant_ref',
    ['host_addr', 'dev_bus_addr', 'handle', 'status'],
    [grant.UNMAP_HOST_ADDR, grant.UNMAP_DEV_BUS_ADDR, grant.UNMAP_HANDLE, grant.UNMAP_STATUS],
  ],
  [
    'struct gnttab_unmap_and_replace',
    ['host_addr', 'new_addr', 'handle', 'status'],
    [grant.REPLACE_HOST_ADDR, grant.REPLACE_NEW_ADDR, grant.REPLACE_HANDLE, grant.REPLACE_STATUS],
  ],
  [
    'struct gnttab_copy',
    [
      'source.u.ref',
      'source.domid',
      'source.offset',
      'dest.u.ref',
      'dest.domid',
      'dest.offset',
      'len',
      'flags',
      'status',
    ],
    [
      grant.COPY_SOURCE,
      grant.COPY_SOURCE_DOMID,
      grant.COPY_SOURCE_OFFSET,
      grant.COPY_DEST,
      grant.COPY_DEST_DOMID,
      grant.COPY_DEST_OFFSET,
      grant.COPY_LEN,
      grant.COPY_FLAGS,
      grant.COPY_STATUS,
    ],
  ],
  [
    'struct gnttab_setup_table',
    ['dom', 'nr_frames', 'status', 'frame_list'],
    [grant.SETUP_DOM, grant.SETUP_NR_FRAMES, grant.SETUP_STATUS, grant.SETUP_FRAME_LIST],
  ],
  [
    'struct gnttab_query_size',
    ['dom', 'nr_frames', 'max_nr_frames', 'status'],
    [grant.QUERY_DOM, grant.QUERY_NR_FRAMES, grant.QUERY_MAX_NR_FRAMES, grant.QUERY_STATUS],
  ],
  [
    'struct gnttab_transfer',
    ['mfn', 'domid', 'ref', 'status'],
    [grant.TRANSFER_MFN, grant.TRANSFER_DOMID, grant.TRANSFER_REF, grant.TRANSFER_STATUS],
  ],
  [
    'struct gnttab_get_version',
    ['dom', 'version'],
    [grant.GET_VERSION_DOM, grant.GET_VERSION_VERSION],
  ],
  [
    'struct gnttab_get_status_frames',
    ['nr_frames', 'dom', 'status', 'frame_list'],
    [
      grant.STATUS_FRAMES_NR,
      grant.STATUS_FRAMES_DOM,
      grant.STATUS_FRAMES_STATUS,
      grant.STATUS_FRAMES_LIST,
    ],
  ],
  [
    'struct gnttab_swap_grant_ref',
    ['ref_a', 'ref_b', 'status'],
    [grant.SWAP_REF_A, grant.SWAP_REF_B, grant.SWAP_STATUS],
  ],
];

/** The indices of a list, by the size of what stands there. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i);
  return order.toSorted((a, b) => (values[a] as number) - (values[b] as number));
}

const missing = headersMissing();

describe.skipIf(missing !== null)(
  `Xen's public headers${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    const compare = (rows: readonly Row[]): void => {
      expect(rows.length).toBeGreaterThan(0);
      const theirs = valuesInC(rows.map(([text]) => text));
      const listed = rows.map(([text], i) => [text, theirs[i]]);
      expect(rows).toEqual(listed);
    };

    test('shared entries have the sizes of the ABI', () => compare(sizes()));
    test('the words of shared entries lie where the ABI has them', () => compare(offsets()));
    test('the halves of a word are packed as in C', () => compare(packing()));

    test('flags and status codes have their values', () => {
      const rows = constants(grant, /^(GTF|GNTMAP|GNTCOPY|GNTST)_[a-z_0-9]+$/);
      expect(rows.length).toBeGreaterThan(25);
      compare(rows.map(([name, value]) => [inC(name), value]));
    });

    test('every status code has its name', () => {
      const names = grant.GNTST_NAMES.filter((name) => name !== '');
      const codes = valuesInC(names);
      expect(codes).toEqual(grant.GNTST_NAMES.map((_, i) => -i + 0));
    });

    test('domain numbers and errors have their values', () => {
      const known = constants(xen, /^(DOMID_[A-Z_]+|XEN_E(?!RESTART)[A-Z]+)$/);
      expect(known.length).toBeGreaterThan(12);
      compare(known);
    });

    test('states of event channels have their values', () => {
      compare(constants(evtchn, /^EVTCHNSTAT_/));
    });

    test('the operands of hypercalls stand in the order of their structures', () => {
      const all = records.flatMap(([name, fields]) =>
        fields.map((field) => `offsetof(${name}, ${field})`),
      );
      const theirOffsets = valuesInC(all);
      for (const [name, fields, ours] of records) {
        const theirs = theirOffsets.splice(0, fields.length);
        expect([name, ranks(ours)]).toEqual([name, ranks(theirs)]);
      }
    });
  },
);
