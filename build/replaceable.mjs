/**
 * Makes functions replaceable by historic versions of themselves (src/shared/override.ts).
 *
 *   export function* unmapCommon(v, op) {      function* unmapCommon$today(v, op) {
 *                                         →    …
 *                                              export let unmapCommon = unmapCommon$today;
 *                                              replaceable(unmapCommon$today, (by) => { … });
 *
 * Which functions: those that a `replaces(today, historic)` in src/corpus names. The code stays in
 * its lines, and in its columns behind the function's name.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const override = 'src/shared/override';

/**
 * @param {string} root - of the project.
 * @returns {Map<string, string[]>} names of the functions by file, `src/xen/x` without suffix.
 */
export function findReplaced(root) {
  const found = new Map();
  for (const path of typescriptFiles(join(root, 'src/corpus'))) {
    const text = readFileSync(path, 'utf8');
    for (const [, name] of text.matchAll(/\breplaces\(\s*(\w+)\s*,/g)) {
      const from = importedFrom(text, name);
      if (from === null) throw new Error(`${path}: replaces(${name}, …): ${name} is not imported`);
      const file = relative(root, join(dirname(path), from)).replace(/\.ts$/, '');
      const names = found.get(file) ?? [];
      if (!names.includes(name)) names.push(name);
      found.set(file, names);
    }
  }
  return found;
}

function* typescriptFiles(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* typescriptFiles(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

function importedFrom(text, name) {
  for (const [, names, from] of text.matchAll(/import\s*\{([^}]*)\}\s*from\s*'([^']+)'/g)) {
    if (names.split(',').some((item) => item.trim() === name)) return from;
  }
  return null;
}

/**
 * @param {string} file - `src/xen/x` without suffix.
 * @param {string} text - TypeScript, or the JavaScript made of it.
 * @param {string[]} names - of exported functions declared in it.
 * @param {string} suffix - of modules in import declarations: `.ts` or `.js`.
 * @returns {string} the module in which they can be replaced.
 */
export function makeReplaceable(file, text, names, suffix) {
  let out = text;
  const tail = [];
  for (const name of names) {
    const declaration = new RegExp(`^export function(\\*? *)${name}\\(`, 'm');
    if (!declaration.test(out)) throw new Error(`${file}: no exported function ${name}`);
    out = out.replace(declaration, ` function$1${name}$$today(`);
    tail.push(`export let ${name} = ${name}$today;`);
    tail.push(`$replaceable(${name}$today, (by) => { ${name} = by; });`);
  }
  const path = relative(dirname(file), override);
  const from = path.startsWith('.') ? path : `./${path}`;
  tail.unshift(`import { replaceable as $replaceable } from '${from}${suffix}';`);
  const map = out.lastIndexOf('\n//# sourceMappingURL=');
  const code = map < 0 ? out : out.slice(0, map);
  return `${code}\n${tail.join('\n')}${map < 0 ? '\n' : out.slice(map)}`;
}

/** @returns a plugin for Vite, so that tests over src/ run the same modules. */
export function replaceableFunctions(root) {
  const replaced = findReplaced(root);
  return {
    name: 'replaceable-functions',
    enforce: 'pre',
    transform(text, id) {
      const file = relative(root, id.split('?')[0]).replace(/\.ts$/, '');
      const names = replaced.get(file);
      if (names === undefined) return null;
      return { code: makeReplaceable(file, text, names, '.ts'), map: null };
    },
  };
}
