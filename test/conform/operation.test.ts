/**
 * Goal: names of operations in recordings are taken apart in one way, whatever they say.
 * Method: names, lists and symbols as recordings write them, against what they mean.
 */
import { expect, test } from 'vitest';
import { abbreviated, listOf } from '../../src/conform/operations/arguments.ts';
import { parseOperation } from '../../src/conform/operation.ts';
import { Symbols } from '../../src/conform/symbols.ts';
import { Unsupported } from '../../src/conform/world.ts';

test.each([
  ['gntdev.MAP_GRANT_REF', 'gntdev.MAP_GRANT_REF', [], ''],
  ['read(pipe, mapping)', 'read', ['pipe', 'mapping'], ''],
  ['pread(O_DIRECT /dev/ram0, mapping)', 'pread', ['O_DIRECT /dev/ram0', 'mapping'], ''],
  ["ptrace(PEEKDATA) of B's mapping", 'ptrace', ['PEEKDATA'], "of B's mapping"],
  ['xen.GNTTABOP_map_grant_ref x3', 'xen.GNTTABOP_map_grant_ref', [], 'x3'],
  ['', '', [], ''],
])('"%s" is %s of %j and "%s"', (text, name, operands, rest) => {
  expect(parseOperation(text)).toEqual({ name, operands, rest });
});

test('a list that is shown in part goes on as it began', () => {
  const step = (refs: unknown) => ({ i: 0, actor: 'A', op: 'x', args: { refs } }) as never;
  expect(listOf(step(['g0', 'g1', '...(4 total)']), 'refs', 4)).toEqual(['g0', 'g1', 'g2', 'g3']);
  expect(listOf(step(['g0', 'g0', '...(4 total)']), 'refs', 4)).toEqual(['g0', 'g0', 'g0', 'g0']);
  expect(listOf(step([0]), 'refs', 3)).toEqual([0, 0, 0]);
  expect(() => listOf(step([]), 'refs', 3)).toThrow(Unsupported);
  const names = Array.from({ length: 63 }, () => 'g0');
  expect(abbreviated(names)).toEqual([...names.slice(0, 16), '...(63 total)']);
});

test('a byte that nobody told is what it is first seen as, from then on', () => {
  const symbols = new Symbols();
  const [one, other] = [symbols.fresh(), symbols.fresh()];
  expect(symbols.agrees(one, 60)).toBe(true);
  expect(symbols.agrees(one, 61)).toBe(false);
  expect(symbols.agrees(other, 61)).toBe(true);
  expect(symbols.agrees(160, 60)).toBe(false);
  expect(symbols.show(one)).toBe(60);
});
