/**
 * A plain re-check: a word is compared with an earlier value of itself, and the later load is
 * plain. The JavaScript engine may take one of two plain loads for both (V8's Maglev does, in
 * Node 24), so such a check can pass whatever happened in between. Every re-check is a readOnce, a
 * loadAcquire or part of an atomic read-modify-write. Under a lock that was taken since the first
 * load, the word is stable and comparing it is no re-check.
 */
import ts from 'typescript';

const K = ts.SyntaxKind;
const comparisons = new Set([
  K.EqualsEqualsEqualsToken,
  K.ExclamationEqualsEqualsToken,
  K.EqualsEqualsToken,
  K.ExclamationEqualsToken,
]);
/** Loads of a word, by what they are called; those that a compiler may merge. */
const loads = new Set(['read', 'readOnce', 'loadAcquire', 'readLocal', 'awaitEqual']);
const plainLoads = new Set(['read', 'readLocal']);

function unwrapped(node) {
  let at = node;
  while (ts.isParenthesizedExpression(at)) at = at.expression;
  if (ts.isYieldExpression(at) && at.expression) return unwrapped(at.expression);
  return at;
}

/** The load that an expression is. @returns its word as written, and whether it is plain. */
function loadOf(node) {
  const call = unwrapped(node);
  if (!ts.isCallExpression(call) || !ts.isIdentifier(call.expression)) return undefined;
  const name = call.expression.text;
  const word = call.arguments[0];
  if (!loads.has(name) || word === undefined) return undefined;
  return { word: word.getText(), at: call.pos, plain: plainLoads.has(name) };
}

/** Where locks are taken: calls of what is named so. */
function lockCalls(body) {
  const found = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const name = node.expression.text;
      if (/(Lock|Acquire|down(Read|Write))$/.test(name)) found.push(node.pos);
    }
    ts.forEachChild(node, visit);
  };
  visit(body);
  return found;
}

/** The loads that each variable of a function has got its value from. */
function loadsOfVariables(body) {
  const found = new Map();
  const note = (name, value) => {
    const load = value && loadOf(value);
    if (load !== undefined) found.set(name, [...(found.get(name) ?? []), load]);
  };
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name)) {
      note(node.name.text, node.initializer);
    } else if (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind === K.EqualsToken &&
      ts.isIdentifier(node.left)
    ) {
      note(node.left.text, node.right);
    }
    ts.forEachChild(node, visit);
  };
  visit(body);
  return found;
}

/**
 * @param {ts.FunctionDeclaration} node - a simulated function.
 * @returns {[ts.Node, string][]} its plain re-checks.
 */
export function plainRechecks(node) {
  const faults = [];
  if (!node.body) return faults;
  const variables = loadsOfVariables(node.body);
  const locks = lockCalls(node.body);
  /** Is the later of two loads of one word plain, with no lock taken in between? */
  const isRecheck = (a, b) => {
    const [first, last] = a.at < b.at ? [a, b] : [b, a];
    if (a.word !== b.word || a.at === b.at || !last.plain) return false;
    return !locks.some((at) => at > first.at && at < last.at);
  };
  const parameters = new Set(node.parameters.map(({ name }) => name.getText()));
  const loadsBehind = (side) => {
    const direct = loadOf(side);
    if (direct !== undefined) return [direct];
    const at = unwrapped(side);
    return ts.isIdentifier(at) ? (variables.get(at.text) ?? []) : [];
  };
  /** Is a word that the caller named compared with a value that the caller gave? */
  const withEarlier = (side, other) => {
    const load = loadOf(side);
    const value = unwrapped(other);
    return (
      load?.plain === true &&
      parameters.has(load.word) &&
      ts.isIdentifier(value) &&
      parameters.has(value.text)
    );
  };
  const visit = (child) => {
    if (ts.isBinaryExpression(child) && comparisons.has(child.operatorToken.kind)) {
      const { left, right } = child;
      const same = loadsBehind(left).some((a) => loadsBehind(right).some((b) => isRecheck(a, b)));
      if (same || withEarlier(left, right) || withEarlier(right, left)) {
        faults.push([child, `a plain re-check of a word in ${node.name.text}: use readOnce`]);
      }
    }
    ts.forEachChild(child, visit);
  };
  visit(node.body);
  return faults;
}
