/**
 * Goal: GUP-fast takes batches where its tables do not fit into a core's cache, and there only.
 * Method: sizes as Linux writes them; both sides of the limit.
 */
import { expect, test } from 'vitest';
import { batchesPay, bytesOf, coreCacheBytes } from '../../bench/caches.ts';

test('sizes are read as Linux writes them; others are the usual ones', () => {
  expect(bytesOf('2048K\n')).toBe(2 ** 21);
  expect(bytesOf('')).toBe(2 ** 19);
  expect(bytesOf('2M')).toBe(2 ** 19);
  expect(coreCacheBytes()).toBeGreaterThan(0);
});

test('batches pay where a cache is too small, and always where a lookup is not GUP-fast', () => {
  expect(batchesPay('gup-fast-4', 2 ** 13, 2 ** 19)).toBe(true);
  expect(batchesPay('gup-fast-4', 2 ** 12, 2 ** 19)).toBe(false);
  expect(batchesPay('gup-fast-2', 2 ** 14, 2 ** 21)).toBe(false);
  expect(batchesPay('gup-fast-range', 2, 2 ** 21)).toBe(true);
  expect(batchesPay('vma-pages-rcu', 2, 2 ** 21)).toBe(true);
});
