/** Where the tables that the oracle listens to lie in a machine. */
import type { Machine } from '../shared/layout.ts';
import type { AnyTable } from '../shared/table.ts';

export interface Range {
  readonly from: number;
  readonly to: number;
  readonly stride: number;
}

/** Where a table lies. */
export function rangeOf(machine: Machine, table: AnyTable): Range {
  const place = machine.places.find(({ shape }) => shape === table.shape);
  if (place === undefined) throw new RangeError(`the machine has no table ${table.shape.name}`);
  return { from: place.from, to: place.from + place.words, stride: place.stride };
}
