/**
 * Builds the editions of the source (ARCHITECTURE.md, "One source, three ways"):
 *
 *   dist/fibers    as written, with the operations inlined (inline.mjs); what the command line, the
 *                  explorer and users of the library load
 *   dist/threads   simulated code stripped of its generators, over operations.threads.ts
 *   dist/lockstep  the same stripped code over operations.lockstep.ts
 *   dist/kernels   the lookups of the benchmarks as WebAssembly (kernels/compile.mjs)
 *   dist/viewer    the scripts of the pages that reports are (viewer.mjs)
 *
 * Stripping keeps every line and column: `function*` loses its star and `yield*` becomes blanks,
 * so the compiler's source maps, pointed at the original files, are right in every edition. The
 * stripped tree is type-checked like the original, with `Op<T>` meaning `T`.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { benchLoops, simulatedRooms, testWorlds } from './rooms.mjs';
import { compileKernels } from './kernels/compile.mjs';
import { inline, readOperations, shiftMap } from './inline.mjs';
import { findReplaced, makeReplaceable } from './replaceable.mjs';
import { strip } from './strip.mjs';
import { buildViewer } from './viewer.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = join(root, 'node_modules/@typescript/native/bin/tsc');
const roots = ['src', 'workers', 'bench', ...testWorlds].filter((dir) =>
  existsSync(join(root, dir)),
);

/** Modules that only fibers have, and what an edition puts in their place. */
const editions = [
  { name: 'fibers', strip: false, suffix: null },
  { name: 'threads', strip: true, suffix: '.threads.ts' },
  { name: 'lockstep', strip: true, suffix: '.lockstep.ts' },
];

/** Rooms that only make sense as fibers and are left out of the stripped editions. */
const fibersOnly = [
  'src/explore',
  'src/conform',
  'src/litmus',
  'src/cli',
  'src/report',
  'src/decode',
  'src/campaign',
  'src/index.ts',
  'workers/exploration.worker.ts',
  'workers/task.worker.ts',
  'bench/suites',
  'bench/torn.reader.ts',
  'bench/torn.worker.ts',
  'bench/main.ts',
  'bench/crew.ts',
  'bench/random.ts',
  'bench/random-beside.ts',
  'bench/native.ts',
  'bench/output.ts',
  'bench/results.ts',
  'bench/table.ts',
  'bench/compare.ts',
  'bench/page.ts',
  'bench/page-script.ts',
  'bench/noise.ts',
  'bench/statistics.ts',
];

function* sourceFiles(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

function fingerprint() {
  const hash = createHash('sha256');
  const files = roots.flatMap((dir) => [...sourceFiles(join(root, dir))]);
  files.push(...allFiles(join(root, 'viewer')), ...allFiles(join(root, 'bench/yardsticks')));
  const own = ['build', 'build/kernels'].flatMap((dir) =>
    readdirSync(join(root, dir))
      .filter((name) => /\.(mjs|js|as)$/.test(name))
      .map((name) => join(root, dir, name)),
  );
  files.push(...own, join(root, 'tsconfig.json'));
  for (const file of files.sort()) hash.update(file).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

function writeStripped(edition, into) {
  for (const dir of roots) {
    for (const file of sourceFiles(join(root, dir))) {
      const path = relative(root, file);
      if (fibersOnly.some((prefix) => path.startsWith(prefix))) continue;
      if (/\.(threads|lockstep)\.ts$/.test(path)) continue;
      const variant = file.replace(/\.ts$/, edition.suffix);
      const shared = file.replace(/\.ts$/, '.threads.ts');
      const from = existsSync(variant) ? variant : existsSync(shared) ? shared : file;
      const text = readFileSync(from, 'utf8');
      const simulated = [...simulatedRooms, ...benchLoops, ...testWorlds].some((room) =>
        path.startsWith(`${room}/`),
      );
      const target = join(into, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, simulated && from === file ? strip(path, text) : text);
    }
  }
}

function compile(sourceRoot, outDir) {
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noEmitOnError: true,
      rootDir: sourceRoot,
      outDir,
      sourceMap: true,
      declaration: true,
      declarationMap: true,
      stripInternal: true,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [...roots.map((dir) => join(sourceRoot, dir)), join(root, 'src/**/*.d.ts')],
    exclude: ['**/*.threads.ts', '**/*.lockstep.ts'],
  };
  const file = join(
    root,
    'build/editions',
    `tsconfig.${relative(root, outDir).replace(/\W/g, '-')}.json`,
  );
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(config, null, 2));
  try {
    execFileSync(process.execPath, [tsc, '-p', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  } catch (error) {
    process.stderr.write(error.stdout ?? '');
    process.exit(1);
  }
}

/** Source maps of a stripped edition name the copies; point them at the files people edit. */
function pointMapsAtSource(outDir, editionRoot) {
  for (const file of allFiles(outDir)) {
    if (!file.endsWith('.map')) continue;
    const map = JSON.parse(readFileSync(file, 'utf8'));
    map.sources = map.sources.map((source) => {
      const original = join(root, relative(editionRoot, join(dirname(file), source)));
      return relative(dirname(file), original);
    });
    writeFileSync(file, JSON.stringify(map));
  }
}

/** Functions that races of the past replace become bindings. */
function makeAllReplaceable(outDir) {
  for (const [file, names] of findReplaced(root)) {
    const path = join(outDir, `${file}.js`);
    writeFileSync(path, makeReplaceable(file, readFileSync(path, 'utf8'), names, '.js'));
  }
}

/** Puts engine calls in the place of the fibers' operations, and moves source maps along. */
async function inlineOperations(outDir) {
  const shared = join(outDir, 'src/shared');
  const kinds = await import(pathToFileURL(join(shared, 'kinds.js')).href);
  const operations = readOperations(readFileSync(join(shared, 'operations.js'), 'utf8'), kinds);
  for (const file of allFiles(outDir)) {
    if (!file.endsWith('.js')) continue;
    const inlined = inline(readFileSync(file, 'utf8'), operations);
    if (inlined === null) continue;
    writeFileSync(file, inlined.text);
    const map = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
    writeFileSync(`${file}.map`, JSON.stringify(shiftMap(map, inlined.edits)));
  }
}

function* allFiles(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* allFiles(path);
    else yield path;
  }
}

/** npm makes a package's command executable when it links it, and not again when it is new. */
function makeExecutable() {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const file of Object.values(bin)) chmodSync(join(root, file), 0o755);
}

const stamp = join(root, 'dist/.fingerprint');
const now = fingerprint();
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) process.exit(0);
rmSync(join(root, 'dist'), { recursive: true, force: true });
rmSync(join(root, 'build/editions'), { recursive: true, force: true });
for (const edition of editions) {
  const outDir = join(root, 'dist', edition.name);
  if (edition.strip) {
    const editionRoot = join(root, 'build/editions', edition.name);
    writeStripped(edition, editionRoot);
    cpSync(join(root, 'package.json'), join(editionRoot, 'package.json'));
    compile(editionRoot, outDir);
    makeAllReplaceable(outDir);
    pointMapsAtSource(outDir, editionRoot);
  } else {
    compile(root, outDir);
    makeAllReplaceable(outDir);
    await inlineOperations(outDir);
  }
}
await compileKernels(root, join(root, 'dist/kernels'));
await buildViewer(root);
makeExecutable();
writeFileSync(stamp, now);
