/**
 * Strips generators from simulated code: `function*` becomes `function `, `yield*` becomes blanks.
 * Every character keeps its line and column. A bare `yield` or a generator method has no meaning
 * on a thread and is an error.
 */
import ts from 'typescript';

/**
 * @param {string} path - for messages.
 * @param {string} text - TypeScript source of a simulated room.
 * @returns {string} the stripped source, as long as the original.
 */
export function strip(path, text) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const out = text.split('');
  const blank = (from, to) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  const visit = (node) => {
    if (ts.isFunctionDeclaration(node) && node.asteriskToken !== undefined) {
      blank(node.asteriskToken.getStart(file), node.asteriskToken.end);
    } else if (ts.isYieldExpression(node)) {
      if (node.asteriskToken === undefined) fail(file, node, 'a bare yield');
      blank(node.getStart(file), node.asteriskToken.end);
    } else if (ts.isFunctionLike(node) && node.asteriskToken !== undefined) {
      fail(file, node, 'a generator that is no declared function');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return out.join('');
}

function fail(file, node, what) {
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
  throw new Error(`${file.fileName}:${line + 1}: ${what} cannot be stripped`);
}
