/**
 * Goal: the habits of the house hold in every file, not only where somebody looked.
 * Method: read every file that is kept in the repository and hold it against the rules; each rule
 * is first shown to catch a wrong example.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const LINES_OF_FILE = 400;
const LINES_OF_FUNCTION = 70;
const COLUMNS = 100;

interface Source {
  readonly path: string;
  readonly text: string;
}

/** Files that git keeps or would keep, without those that are gone from the work tree. */
function sourcesOfRepository(kinds: RegExp): Source[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => kinds.test(path) && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function longLines({ path, text }: Source): string[] {
  return text
    .split('\n')
    .flatMap((line, i) => (line.length > COLUMNS ? [`${path}:${i + 1}: ${line.length}`] : []));
}

function longFile({ path, text }: Source): string[] {
  const lines = text.split('\n').length - 1;
  return lines > LINES_OF_FILE ? [`${path}: ${lines} lines`] : [];
}

function parse({ path, text }: Source): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
}

/** Functions that are too long. The callbacks that hold whole test suites are not counted. */
function longFunctions(source: Source): string[] {
  const file = parse(source);
  const found: string[] = [];
  const lineOf = (position: number): number => file.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    const isSuite =
      ts.isCallExpression(node.parent ?? file) &&
      (node.parent as ts.CallExpression).expression.getText().startsWith('describe');
    if (ts.isFunctionLike(node) && !isSuite) {
      const from = lineOf(node.getStart(file));
      const lines = lineOf(node.end) - from + 1;
      if (lines > LINES_OF_FUNCTION) found.push(`${source.path}:${from + 1}: ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Written so that this file does not contain them. */
const leftovers = /\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/;

function leftoverWords({ path, text }: Source): string[] {
  return text.split('\n').flatMap((line, i) => {
    const word = line.match(leftovers);
    return word === null ? [] : [`${path}:${i + 1}: ${word[0]}`];
  });
}

function bannedFileName({ path }: Source): string[] {
  const stem = basename(path).replace(/(\.test|\.bench|\.worker|\.threads|\.lockstep)?\.\w+$/, '');
  return /^(utils?|helpers?|commons?|managers?|misc)$/.test(stem) ? [path] : [];
}

/** Fields of tables whose documentation does not begin with who writes them. */
function fieldsWithoutWriter(source: Source): string[] {
  const file = parse(source);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const fields =
      ts.isCallExpression(node) && node.expression.getText(file) === 'defineTable'
        ? node.arguments[2]
        : undefined;
    if (fields !== undefined && ts.isObjectLiteralExpression(fields)) {
      for (const field of fields.properties) {
        const doc = ts.isPropertyAssignment(field) ? textOf(field.initializer) : null;
        if (doc === null || !/^\[[A-Z0-9, -]+\] \S/.test(doc)) {
          const { line } = file.getLineAndCharacterOfPosition(field.getStart(file));
          found.push(`${source.path}:${line + 1}: ${field.name?.getText(file)}`);
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The text of a literal, or of literals joined by +. */
function textOf(node: ts.Expression): string | null {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isBinaryExpression(node)) return null;
  const left = textOf(node.left);
  const right = textOf(node.right);
  return left === null || right === null ? null : left + right;
}

function startsWithoutComment({ path, text }: Source): string[] {
  return text.startsWith('/**\n * ') || text.startsWith('/** ') ? [] : [path];
}

const all = sourcesOfRepository(/\.(ts|mts|mjs|cjs)$/);
const simulated = all.filter(({ path }) =>
  /^src\/(shared|hardware|xen|linux|actors|corpus)\//.test(path),
);
const tests = all.filter(({ path }) => path.endsWith('.test.ts'));
const code = all.filter(({ path }) => /^(src|workers|bench|build)\//.test(path));

const a = (text: string, path = 'src/xen/a.ts'): Source => ({ path, text });
const lines = (count: number): string => 'x();\n'.repeat(count);
const table = (doc: string): Source => a(`defineTable('t', [], { f: ${doc} });`);

/** Files and scripts that a page of the documentation names and that are not there. */
function missingNames({ path, text }: Source, scripts: Readonly<Record<string, string>>): string[] {
  const inTree = (name: string): boolean => existsSync(join(root, name));
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link as string);
  const files = [...text.matchAll(/`((?:src|bench|build|test|workers|viewer)\/[\w./-]*\w)`/g)];
  const runs = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name as string);
  const missing = [
    ...links.filter((link) => !existsSync(join(root, dirname(path), link))),
    ...files.map(([, file]) => file as string).filter((file) => !inTree(file)),
    ...runs.filter((name) => scripts[name] === undefined),
  ];
  return missing.map((name) => `${path}: ${name}`);
}

describe('tidy', () => {
  test('the repository was read', () => {
    expect(simulated.length).toBeGreaterThan(30);
    expect(tests.length).toBeGreaterThan(3);
  });

  test('files have at most 400 lines', () => {
    expect(longFile(a(lines(401)))).toEqual(['src/xen/a.ts: 401 lines']);
    const others = sourcesOfRepository(/\.(js|css|as|c|h)$/);
    expect(others.length).toBeGreaterThan(10);
    expect([...all, ...others].flatMap(longFile)).toEqual([]);
  });

  test('lines have at most 100 columns', () => {
    expect(longLines(a(`${'x'.repeat(101)}\n`))).toEqual(['src/xen/a.ts:1: 101']);
    expect(all.flatMap(longLines)).toEqual([]);
  });

  test('functions have at most 70 lines', () => {
    const long = `function f() {\n${lines(69)}}\n`;
    expect(longFunctions(a(long))).toEqual(['src/xen/a.ts:1: 71 lines']);
    expect(longFunctions(a(`describe('f', () => {\n${lines(69)}});\n`))).toEqual([]);
    expect(all.flatMap(longFunctions)).toEqual([]);
  });

  test('nothing is left for later', () => {
    expect(leftoverWords(a(`// ${['TO', 'DO'].join('')}: more\n`))).toHaveLength(1);
    expect(all.flatMap(leftoverWords)).toEqual([]);
  });

  test('no file is named after nothing', () => {
    expect(bannedFileName(a('', 'src/xen/utils.ts'))).toHaveLength(1);
    expect(bannedFileName(a('', 'test/helper.test.ts'))).toHaveLength(1);
    expect(all.flatMap(bannedFileName)).toEqual([]);
  });

  test('every field of a table says first who writes it', () => {
    expect(fieldsWithoutWriter(table("'flags'"))).toEqual(['src/xen/a.ts:1: f']);
    expect(fieldsWithoutWriter(table("'[XEN,GST] flags'"))).toEqual([]);
    expect(code.flatMap(fieldsWithoutWriter)).toEqual([]);
  });

  test('every simulated file begins with what it models', () => {
    expect(startsWithoutComment(a("import './b.ts';\n"))).toEqual(['src/xen/a.ts']);
    expect(simulated.flatMap(startsWithoutComment)).toEqual([]);
  });

  test('every test file begins with its goal and method', () => {
    expect(tests.flatMap(startsWithoutComment)).toEqual([]);
    expect(tests.filter(({ text }) => !/^\/\*\*[^/]*Goal: [^/]*Method: /.test(text))).toEqual([]);
  });

  test('documentation and scripts name what is there', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const wrong = '[a](b.md) `src/c.ts` npm run d, [e](https://e) [f](README.md) npm run build';
    expect(missingNames(a(wrong, 'a.md'), scripts)).toEqual([
      'a.md: b.md',
      'a.md: src/c.ts',
      'a.md: d',
    ]);
    expect(sourcesOfRepository(/\.md$/).flatMap((page) => missingNames(page, scripts))).toEqual([]);
    const run = Object.values(scripts).flatMap((script) => [
      ...script.matchAll(/node (\S+\.m?js)/g),
    ]);
    expect(
      run.map(([, file]) => file as string).filter((file) => !existsSync(join(root, file))),
    ).toEqual([]);
  });

  test('the command that was built can be run', () => {
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      bin: Record<string, string>;
    };
    for (const file of Object.values(bin)) accessSync(join(root, file), constants.X_OK);
    expect(Object.keys(bin)).toEqual(['gntrace']);
  });
});
