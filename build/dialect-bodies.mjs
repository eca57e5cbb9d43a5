/**
 * What may not stand in a simulated body: everything that is no arithmetic on 32-bit integers, no
 * control flow and no call. dialect.mjs says which bodies are simulated.
 */
import ts from 'typescript';

const K = ts.SyntaxKind;

/** Syntax that has no place, and what to call it. */
const bannedSyntax = new Map([
  [K.ArrowFunction, 'an arrow function'],
  [K.FunctionExpression, 'a function expression'],
  [K.FunctionDeclaration, 'a nested function'],
  [K.ObjectLiteralExpression, 'an object literal'],
  [K.ArrayLiteralExpression, 'an array literal'],
  [K.ElementAccessExpression, 'an element access: use a table'],
  [K.TryStatement, 'try'],
  [K.ThrowStatement, 'throw'],
  [K.ClassDeclaration, 'a class'],
  [K.ClassExpression, 'a class'],
  [K.NewExpression, 'new'],
  [K.TemplateExpression, 'a template string'],
  [K.NoSubstitutionTemplateLiteral, 'a template string'],
  [K.TaggedTemplateExpression, 'a template string'],
  [K.StringLiteral, 'a string'],
  [K.RegularExpressionLiteral, 'a regular expression'],
  [K.BigIntLiteral, 'a bigint'],
  [K.NullKeyword, 'null'],
  [K.SpreadElement, 'a spread'],
  [K.ObjectBindingPattern, 'a pattern'],
  [K.ArrayBindingPattern, 'a pattern'],
  [K.ForOfStatement, 'for … of'],
  [K.ForInStatement, 'for … in'],
  [K.DeleteExpression, 'delete'],
  [K.TypeOfExpression, 'typeof'],
  [K.VoidExpression, 'void'],
  [K.AwaitExpression, 'await'],
  [K.ThisKeyword, 'this'],
  [K.AsExpression, 'a type assertion'],
  [K.NonNullExpression, 'a type assertion'],
  [K.QuestionDotToken, 'optional chaining'],
  [K.QuestionQuestionToken, '??'],
  [K.InstanceOfKeyword, 'instanceof'],
  [K.InKeyword, 'in'],
  [K.AsteriskAsteriskToken, '**'],
]);
const mathFunctions = new Set(['abs', 'clz32', 'imul', 'max', 'min']);
/** What a call may have as its callee besides a name: reckoning, and the accessors of a table. */
const tableAccessors = new Set(['at', 'at2']);

/** Is the value of this expression made an integer right away: `(a / b) | 0`, `>>>`, Math.imul? */
function isTruncated(node) {
  let at = node.parent;
  while (ts.isParenthesizedExpression(at)) at = at.parent;
  return (
    ts.isBinaryExpression(at) &&
    [K.BarToken, K.GreaterThanGreaterThanGreaterThanToken, K.GreaterThanGreaterThanToken].includes(
      at.operatorToken.kind,
    )
  );
}

function callFault(node) {
  const callee = node.expression;
  if (ts.isIdentifier(callee)) return null;
  if (!ts.isPropertyAccessExpression(callee)) return 'a call of a computed function';
  const name = callee.name.text;
  if (callee.expression.getText() === 'Math') {
    return mathFunctions.has(name) ? null : `Math.${name}: integers only`;
  }
  return tableAccessors.has(name) ? null : `a method call: ${name}`;
}

/**
 * @param {ts.Node} node - any node below a simulated function's body.
 * @param {ts.FunctionDeclaration} body - that function.
 * @returns {string | null} what is wrong with it.
 */
export function bodyFault(node, body) {
  const what = bannedSyntax.get(node.kind);
  if (what !== undefined) return `${what} in simulated ${body.name.text}`;
  if (ts.isYieldExpression(node)) {
    if (node.asteriskToken === undefined) return `a bare yield in ${body.name.text}`;
    if (!ts.isCallExpression(node.expression)) return 'yield* of no call';
  }
  if (ts.isNumericLiteral(node) && !Number.isInteger(Number(node.text))) return 'a fraction';
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === K.SlashToken) {
    return isTruncated(node) ? null : 'a division without | 0';
  }
  if (ts.isVariableDeclarationList(node) && !(node.flags & ts.NodeFlags.BlockScoped)) return 'var';
  return ts.isCallExpression(node) ? callFault(node) : null;
}

const parameterTypes = new Set(['number', 'boolean']);
const generatorResults = new Set(['Op', 'Op<number>', 'Op<boolean>', 'Op<void>', 'Op<never>']);
const plainResults = new Set(['number', 'boolean', 'void']);

/**
 * @returns {[ts.Node, string][]} what is wrong with a simulated function's parameters and result.
 */
export function signatureFaults(node) {
  const faults = [];
  const name = node.name.text;
  for (const parameter of node.parameters) {
    const type = parameter.type?.getText() ?? 'unknown';
    if (!parameterTypes.has(type))
      faults.push([parameter, `a parameter of type ${type} in ${name}`]);
    if (parameter.initializer || parameter.dotDotDotToken || parameter.questionToken) {
      faults.push([parameter, `a parameter that may be missing in ${name}`]);
    }
  }
  const result = node.type?.getText() ?? 'unknown';
  const allowed = node.asteriskToken === undefined ? plainResults : generatorResults;
  if (!allowed.has(result)) faults.push([node, `a result of type ${result} in ${name}`]);
  return faults;
}
