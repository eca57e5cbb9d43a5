/** Opening the LMDB environment of a store, for the one who writes and for those who read. */
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';

// As CommonJS it is one file instead of twenty: a listing is to be there at once.
const { open } = createRequire(import.meta.url)('lmdb') as typeof import('lmdb');

/** A store that cannot be used as asked, in one line. */
export class StoreError extends Error {}

export type StoreKey = readonly (string | number)[];
export type Environment = RootDatabase<unknown, string | number | (string | number)[]>;

const DATA = 'data.mdb';

/** Is there a store in this folder? */
export function holdsStore(dir: string): boolean {
  return existsSync(join(dir, DATA));
}

/** Opens a store to write. The folder is made if it is not there. */
export function openToWrite(dir: string): Environment {
  mkdirSync(dir, { recursive: true });
  // A transaction that has returned is on the disk: no overlap of its flush with what follows.
  return open({ path: dir, noSubdir: false, overlappingSync: false, cache: false });
}

/** Opens a store to read, beside somebody who writes. @throws StoreError if there is none. */
export function openToRead(dir: string): Environment {
  if (!holdsStore(dir)) throw new StoreError(`there is no store of a campaign in ${dir}`);
  return open({ path: dir, noSubdir: false, readOnly: true, cache: false });
}

/** Values under all keys that begin with this word, with the numbers or names behind it. */
export function* rowsOf<T>(
  environment: Environment,
  ...prefix: (string | number)[]
): Generator<{ readonly key: (string | number)[]; readonly value: T }> {
  const last = prefix.at(-1) as string | number;
  const end = typeof last === 'number' ? [...prefix.slice(0, -1), last + 1] : `${last}\0`;
  const range = {
    start: prefix,
    end: typeof end === 'string' ? [...prefix.slice(0, -1), end] : end,
  };
  for (const { key, value } of environment.getRange(range)) {
    if (!Array.isArray(key) || !prefix.every((part, i) => key[i] === part)) continue;
    yield { key: key.slice(prefix.length), value: value as T };
  }
}
