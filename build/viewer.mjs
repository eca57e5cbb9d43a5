/**
 * The scripts of the pages (docs/race-page.md), made of viewer/ and of dist/fibers:
 *
 *   dist/viewer/page.js    what draws a race
 *   dist/viewer/page.css   how it looks
 *   dist/viewer/engine.js  the explorer and the simulated kernel for a worker, and behind it the
 *                          map from its positions to the lines that people edit
 *
 * The engine is the very JavaScript that the command line runs.
 */
import { build } from 'esbuild';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { decode } from './mappings.mjs';
import { isMachinery, simulatedRooms } from './rooms.mjs';

const TARGET = ['chrome111', 'firefox114', 'safari16.4'];

/** Modules of src/ are taken from the fibers edition. */
function fibersEdition(root) {
  return {
    name: 'fibers-edition',
    setup({ onResolve }) {
      onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir }) => {
        const file = relative(root, join(resolveDir, path));
        if (!file.startsWith('src/')) return undefined;
        return { path: join(root, 'dist/fibers', file.replace(/\.ts$/, '.js')) };
      });
    },
  };
}

async function bundle(root, entry, options = {}) {
  const result = await build({
    entryPoints: [join(root, 'viewer', entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: TARGET,
    // Declaring a table and not using it changes nothing.
    pure: ['defineTable'],
    plugins: [fibersEdition(root)],
    absWorkingDir: root,
    outdir: join(root, 'dist/viewer'),
    logLevel: 'warning',
    legalComments: 'none',
    ...options,
  });
  return new Map(result.outputFiles.map(({ path, text }) => [path.replace(/^.*\./, ''), text]));
}

/** First and last line of each function that a file declares. */
function functionsOf(text) {
  const found = [];
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    const name = /^(?:export )?(?:async )?function\*?\s+(\w+)/.exec(line)?.[1];
    if (name === undefined) return;
    let end = i;
    while (end < lines.length - 1 && !lines[end].startsWith('}')) end++;
    found.push(name, i + 1, end + 1);
  });
  return found;
}

/** What viewer/engine/locate.ts needs of a source map. */
function engineMap(root, map) {
  const paths = map.sources.map((source) => relative(root, join(root, 'dist/viewer', source)));
  const files = [];
  const numbers = paths.map((path) => {
    const simulated = simulatedRooms.some((room) => path.startsWith(`${room}/`));
    return simulated && !isMachinery(path) ? files.push(path) - 1 : -1;
  });
  const positions = decode(map.mappings).map((segments) => {
    const differences = [];
    let last = [0, 0, 0];
    let before = null;
    for (const [column, source, line] of segments) {
      const file = source === undefined ? -1 : numbers[source];
      const here = file < 0 ? [column, -1, 0] : [column, file, line + 1];
      if (before !== null && before[1] === here[1] && before[2] === here[2]) continue;
      differences.push(here[0] - last[0], here[1] - last[1], here[2] - last[2]);
      last = here;
      before = here;
    }
    return differences;
  });
  const functions = files.map((file) => functionsOf(readFileSync(join(root, file), 'utf8')));
  return { files, functions, positions };
}

/** @param {string} root - of the project, with dist/fibers built. */
export async function buildViewer(root) {
  const into = join(root, 'dist/viewer');
  mkdirSync(into, { recursive: true });
  const page = await bundle(root, 'page/main.ts');
  writeFileSync(join(into, 'page.js'), page.get('js').trimEnd());
  const style = await bundle(root, 'page/style.css');
  writeFileSync(join(into, 'page.css'), style.get('css').trimEnd());
  const engine = await bundle(root, 'engine/worker.ts', { sourcemap: 'external' });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const map = JSON.stringify(engineMap(root, JSON.parse(engine.get('map'))));
  const about = `self.engineVersion=${JSON.stringify(version)};self.engineMap=${map};`;
  writeFileSync(join(into, 'engine.js'), `${engine.get('js').trimEnd()}\n${about}`);
}

if (process.argv[1] === import.meta.filename) {
  await buildViewer(dirname(import.meta.dirname));
}
