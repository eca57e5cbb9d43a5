/**
 * Goal: the four counters of a pin count independently and never carry into each other.
 * Method: random histories of increments and decrements against four plain numbers.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  GNTPIN_cntr_mask,
  GNTPIN_devr_inc,
  GNTPIN_devr_shift,
  GNTPIN_devw_inc,
  GNTPIN_devw_shift,
  GNTPIN_hstr_inc,
  GNTPIN_hstr_shift,
  GNTPIN_hstw_inc,
  GNTPIN_hstw_shift,
  GNTPIN_writers_mask,
  pinIncrement,
  pinOverflowMask,
} from '../../../src/xen/grant-table/active.ts';
import {
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
} from '../../../src/xen/public/grant-table.ts';

const shifts = [GNTPIN_hstw_shift, GNTPIN_hstr_shift, GNTPIN_devw_shift, GNTPIN_devr_shift];
const incs = [GNTPIN_hstw_inc, GNTPIN_hstr_inc, GNTPIN_devw_inc, GNTPIN_devr_inc];

function countersOf(pin: number): number[] {
  return shifts.map((shift) => (pin >>> shift) & GNTPIN_cntr_mask);
}

describe('pin', () => {
  test('a random history of mappings agrees with four counters up to 128', () => {
    const step = fc.record({ kind: fc.nat(3), up: fc.boolean(), times: fc.nat(140) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let pin = 0;
        const model = [0, 0, 0, 0];
        for (const { kind, up, times } of steps) {
          const inc = incs[kind] as number;
          for (let i = 0; i < times; i++) {
            const count = model[kind] as number;
            if (up && (pin & pinOverflowMask(inc)) === 0) {
              pin = (pin + inc) | 0;
              model[kind] = count + 1;
            } else if (!up && count > 0) {
              pin = (pin - inc) | 0;
              model[kind] = count - 1;
            }
          }
          expect(countersOf(pin)).toEqual(model);
          expect(Math.max(...model)).toBeLessThanOrEqual(128);
        }
      }),
    );
  });

  test('an increment is refused exactly when one of its counters has reached 128', () => {
    const counts = fc.tuple(fc.nat(128), fc.nat(128), fc.nat(128), fc.nat(128));
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 7 }), (four, flags) => {
        const incr = pinIncrement(flags);
        const pin = four.reduce((sum, count, i) => sum + (count << (shifts[i] as number)), 0) | 0;
        const full = incs.some((inc, i) => (incr & inc) !== 0 && four[i] === 128);
        expect((pin & pinOverflowMask(incr)) !== 0).toBe(full);
      }),
    );
  });

  test('a mapping counts once for the host and once for devices, by its access', () => {
    const both = GNTMAP_host_map | GNTMAP_device_map;
    expect(pinIncrement(GNTMAP_host_map)).toBe(GNTPIN_hstw_inc);
    expect(pinIncrement(GNTMAP_host_map | GNTMAP_readonly)).toBe(GNTPIN_hstr_inc);
    expect(pinIncrement(GNTMAP_device_map)).toBe(GNTPIN_devw_inc);
    expect(pinIncrement(both)).toBe(GNTPIN_hstw_inc + GNTPIN_devw_inc);
    expect(pinIncrement(both | GNTMAP_readonly)).toBe(GNTPIN_hstr_inc + GNTPIN_devr_inc);
    expect(pinIncrement(GNTMAP_readonly)).toBe(0);
    expect(GNTPIN_writers_mask).toBe(0x00ff00ff);
  });
});
