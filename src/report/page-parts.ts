/** What the build has made for pages (build/viewer.mjs), and how data is put into a page. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { Html } from './html.ts';
import { projectRoot } from './page-source.ts';

export const PARTS = ['page.js', 'page.css', 'engine.js'] as const;

export type Part = (typeof PARTS)[number];

/** To pack the engine takes longer than all the rest of a page. */
const packedParts = new Map<Part, Html>();

/** The pages' scripts are not there: the project was not built. */
export class UnbuiltError extends Error {}

/** Text of a part. @throws UnbuiltError if there is none. */
export function partOf(name: Part): string {
  const path = join(projectRoot(), 'dist/viewer', name);
  if (!existsSync(path)) throw new UnbuiltError(`${path} is missing: run npm run build`);
  return readFileSync(path, 'utf8');
}

/** A part as data. @throws UnbuiltError if there is none. */
export function embeddedPart(id: string, name: Part): Html {
  const packed = packedParts.get(name) ?? embedded(id, partOf(name));
  packedParts.set(name, packed);
  return packed;
}

/** Deflated data in an element that runs nothing; base 64 needs no escapes. */
export function embedded(id: string, text: string): Html {
  const packed = deflateRawSync(text, { level: 9 }).toString('base64');
  return new Html(`<script type="text/plain" id="${id}">${packed}</script>`);
}
