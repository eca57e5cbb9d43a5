/** Where campaigns are kept, and which one is meant. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StoreError, holdsStore } from '../campaign/store/environment.ts';
import { UsageError } from './usage.ts';

/** The folder of all stores that nobody gave a place of its own. */
export const STORES = join('.gntrace', 'campaigns');

/** Where a campaign of this name is kept. */
export function usualStore(name: string): string {
  return resolve(STORES, name);
}

/** The store of `--store`, or the one that was written last. */
export function storeToRead(dir: string | undefined): string {
  if (dir !== undefined) return resolve(dir);
  const stores = existsSync(STORES) ? readdirSync(STORES).map((name) => resolve(STORES, name)) : [];
  const [latest] = stores
    .filter(holdsStore)
    .map((store) => ({ store, atMs: statSync(join(store, 'data.mdb')).mtimeMs }))
    .sort((a, b) => b.atMs - a.atMs);
  if (latest !== undefined) return latest.store;
  throw new UsageError(`no campaign is kept in ${STORES}; --store names another folder`);
}

/** What is wrong with a store is wrong use. */
export function asUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof StoreError ? new UsageError(error.message) : error;
  }
}
