/**
 * The mutations that the suite must notice: a list a room in build/mutations. Each names the file,
 * the text to find (exactly once), what to put in its place, the tests that must fail, and why.
 */
import { readFileSync, readdirSync } from 'node:fs';

const folder = new URL('mutations/', import.meta.url);

export const mutations = readdirSync(folder)
  .toSorted()
  .flatMap((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')));
