/**
 * Goal: a listing is there at once: it loads nothing of what a campaign runs, and of its store
 * only what reads. Method: the built command line over a store, telling which files it loaded.
 */
import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { StoreWriter } from '../../src/campaign/store/writer.ts';
import { main } from '../campaign/children.ts';
import { cell, folder, record } from '../campaign/here.ts';

/** Tells on stderr each module that is imported, and at the end what was required. */
const hooks = `
export async function load(url, context, next) {
  process._rawDebug(url);
  return next(url, context);
}`;
const telling = `
import { createRequire, register } from 'node:module';
register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
const { cache } = createRequire(${JSON.stringify(main)});
process.on('exit', () => {
  for (const file of Object.keys(cache)) process._rawDebug(file);
  for (const name of process.moduleLoadList) {
    if (name === 'NativeModule crypto') process._rawDebug('node:crypto');
  }
});`;

describe('a listing', () => {
  let loaded: string[];

  beforeAll(async () => {
    const store = folder();
    await StoreWriter.create(store, record([cell()]), { index: 0, of: 1 }).close();
    const preload = ['--import', `data:text/javascript,${encodeURIComponent(telling)}`];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...preload, main, 'results', '--store', store],
      { encoding: 'utf8' },
    );
    expect(stdout).toContain('program/bakery-wrong(2)');
    loaded = stderr.trim().split('\n');
  });

  test('loads the command line and what reads a store, and no other room', () => {
    const ours = loaded.flatMap((file) => /dist\/fibers\/(.*)\/[^/]+$/.exec(file)?.[1] ?? []);
    const folders = ['src/campaign/plan', 'src/campaign/store', 'src/cli'];
    expect([...new Set(ours)].sort()).toEqual(folders);
    expect(loaded.filter((file) => /\/(writer|merge|sighting-record)\.js$/.test(file))).toEqual([]);
  });

  test('loads the store in one file, and no cryptography', () => {
    const lmdb = loaded.filter((file) => /\/node_modules\/lmdb\/(?!node_modules)/.test(file));
    expect(lmdb.filter((file) => /\.[cm]?js$/.test(file))).toEqual([
      expect.stringMatching(/lmdb\/dist\/index\.cjs$/),
    ]);
    expect(loaded.filter((file) => file.endsWith('crypto'))).toEqual([]);
  });
});
