/** What the build has made for pages (build/viewer.mjs), and how data is put into a page. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { Html } from './html.ts';
import { projectRoot } from './page-source.ts';

export type Part = 'page.js' | 'page.css' | 'matrix.js' | 'engine.js';

/** The pages' scripts are not there: the project was not built. */
export class UnbuiltError extends Error {}

/** Text of a part. @throws UnbuiltError if there is none. */
export function partOf(name: Part): string {
  const path = join(projectRoot(), 'dist/viewer', name);
  if (!existsSync(path)) throw new UnbuiltError(`${path} is missing: run npm run build`);
  return readFileSync(path, 'utf8');
}

/** Deflated data in an element that runs nothing; base 64 needs no escapes. */
export function embedded(id: string, text: string): Html {
  const packed = deflateRawSync(text, { level: 9 }).toString('base64');
  return new Html(`<script type="text/plain" id="${id}">${packed}</script>`);
}
