/**
 * The variables of the small programs with published trace counts (GenMC's and Nidhugg's test
 * suites): single shared integers called as there.
 */
import { defineTable } from '../../shared/table.ts';

export const X = defineTable('x', [], { value: '[ANY] shared integer' });
export const Y = defineTable('y', [], { value: '[ANY] shared integer' });
export const Z = defineTable('z', [], { value: '[ANY] shared integer' });
export const W = defineTable('w', [], { value: '[ANY] shared integer' });
