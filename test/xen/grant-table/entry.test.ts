/**
 * Goal: word 0 of a shared entry carries flags and domid as the 32-bit unit of the ABI.
 * Method: properties of packing and unpacking; bits against the values of the public header.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryHeader, headerDomid, headerFlags } from '../../../src/xen/grant-table/entry.ts';
import * as abi from '../../../src/xen/public/grant-table.ts';

describe('shared entry', () => {
  test('flags and domid come back as they went in', () => {
    const u16 = fc.nat(0xffff);
    fc.assert(
      fc.property(u16, u16, (flags, domid) => {
        const hdr = entryHeader(flags, domid);
        expect(headerFlags(hdr)).toBe(flags);
        expect(headerDomid(hdr)).toBe(domid);
      }),
    );
  });

  test('setting access bits leaves type and domid alone', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0x7fff), (flags, domid) => {
        const hdr = entryHeader(flags, domid) | abi.GTF_reading | abi.GTF_writing;
        expect(headerDomid(hdr)).toBe(domid);
        expect(headerFlags(hdr) & ~(abi.GTF_reading | abi.GTF_writing)).toBe(
          flags & ~(abi.GTF_reading | abi.GTF_writing),
        );
      }),
    );
  });

  test('the constants have the values of xen/include/public/grant_table.h', () => {
    expect([abi.GTF_permit_access, abi.GTF_accept_transfer, abi.GTF_transitive]).toEqual([1, 2, 3]);
    expect([abi.GTF_readonly, abi.GTF_reading, abi.GTF_writing]).toEqual([4, 8, 16]);
    expect(abi.GTF_sub_page).toBe(256);
    expect([abi.GNTMAP_device_map, abi.GNTMAP_host_map, abi.GNTMAP_readonly]).toEqual([1, 2, 4]);
    expect([abi.GNTMAP_application_map, abi.GNTMAP_contains_pte]).toEqual([8, 16]);
    expect(abi.GNTMAP_guest_avail0).toBe(0x10000);
    const names = abi.GNTST_NAMES;
    expect(names.indexOf('GNTST_bad_domain')).toBe(-abi.GNTST_bad_domain);
    expect(names.indexOf('GNTST_bad_copy_arg')).toBe(-abi.GNTST_bad_copy_arg);
    expect(names.indexOf('GNTST_eagain')).toBe(-abi.GNTST_eagain);
    expect(names.indexOf('GNTST_no_space')).toBe(-abi.GNTST_no_space);
  });
});
