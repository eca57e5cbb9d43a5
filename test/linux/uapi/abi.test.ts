/**
 * Goal: programs speak to the simulated drivers in the numbers of the real ones.
 * Method: a C program compiled against Linux' headers prints ioctl numbers, flags and the order of
 * the structures' fields; each is compared with src/linux/uapi.
 */
import { describe, expect, test } from 'vitest';
import * as evtchn from '../../../src/linux/uapi/evtchn.ts';
import * as gntalloc from '../../../src/linux/uapi/gntalloc.ts';
import * as gntdev from '../../../src/linux/uapi/gntdev.ts';
import { headersMissing, valuesInC } from '../../compiled-headers.ts';

/** Fields of an argument in C, in the order of our words. Where C has a union, one of its ways. */
const structures: readonly (readonly [string, readonly string[]])[] = [
  ['struct ioctl_gntdev_grant_ref', ['domid', 'ref']],
  ['struct ioctl_gntdev_map_grant_ref', ['count', 'index', 'refs']],
  ['struct ioctl_gntdev_unmap_grant_ref', ['index', 'count']],
  ['struct ioctl_gntdev_get_offset_for_vaddr', ['vaddr', 'offset', 'count']],
  ['struct ioctl_gntdev_unmap_notify', ['index', 'action', 'event_channel_port']],
  [
    'struct gntdev_grant_copy_segment',
    [
      'source.foreign.ref',
      'source.foreign.offset',
      'source.foreign.domid',
      'dest.foreign.ref',
      'dest.foreign.offset',
      'dest.foreign.domid',
      'len',
      'flags',
      'status',
    ],
  ],
  ['struct ioctl_gntdev_grant_copy', ['count', 'segments']],
  ['struct ioctl_gntalloc_alloc_gref', ['domid', 'flags', 'count', 'index', 'gref_ids']],
  ['struct ioctl_gntalloc_dealloc_gref', ['index', 'count']],
  ['struct ioctl_gntalloc_unmap_notify', ['index', 'action', 'event_channel_port']],
  ['struct ioctl_evtchn_bind_interdomain', ['remote_domain', 'remote_port']],
];

const missing = headersMissing();

describe.skipIf(missing !== null)(
  `Linux' headers of the Xen drivers${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    test('ioctl numbers and flags have their values', () => {
      const ours = Object.entries({ ...gntdev, ...gntalloc, ...evtchn }).filter(([name]) =>
        /^(IOCTL|UNMAP_NOTIFY_(CLEAR_BYTE|SEND_EVENT)|GNTALLOC_FLAG)/.test(name),
      );
      expect(ours.length).toBeGreaterThan(17);
      const theirs = valuesInC(ours.map(([name]) => name));
      expect(ours).toEqual(ours.map(([name], i) => [name, theirs[i]]));
    });

    test('arguments have their fields in the order of the structures', () => {
      const all = valuesInC(
        structures.flatMap(([name, fields]) =>
          fields.map((field) => `offsetof(${name}, ${field})`),
        ),
      );
      for (const [name, fields] of structures) {
        const offsets = all.splice(0, fields.length);
        expect([name, offsets]).toEqual([name, offsets.toSorted((a, b) => a - b)]);
      }
    });
  },
);
