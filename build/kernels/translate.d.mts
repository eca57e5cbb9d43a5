import type { Sources } from './source.mjs';

export interface Making {
  prefix: string;
  fixed: Record<string, number>;
  flavour: string;
  plain: string[];
  inline: (name: string) => boolean;
}

export function translate(
  sources: Sources,
  entries: { path: string; name: string }[],
  making: Making,
): {
  text: string;
  layout: Map<string, { table: string; dimensions: string[]; what: string; key?: string }>;
  names: Map<string, string>;
  fixedUsed: Map<string, { key: string; value: number }>;
};
