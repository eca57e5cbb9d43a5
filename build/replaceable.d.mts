import type { Plugin } from 'vitest/config';

export function findReplaced(root: string): Map<string, string[]>;
export function makeReplaceable(
  file: string,
  text: string,
  names: readonly string[],
  suffix: string,
): string;
export function replaceableFunctions(root: string): Plugin;
