/**
 * Branches of compound conditions, for AssemblyScript: it makes a value of `a && b` before it
 * branches on it, and so does V8, where a processor should branch twice. What is evaluated, and in
 * which order, stays as it is.
 *
 *   if (a || b) return x;         if (a) return x; if (b) return x;
 *   if (!(a && b)) return x;      if (!(a)) return x; if (!(b)) return x;
 *   if (a && b) f();              if (a) if (b) f();
 *   return a || b ? x : y;        if (a) return x; if (b) return x; return y;
 *
 * A function that is nothing but such a condition (namesTable) is put in its place.
 */
import ts from 'typescript';

/** @returns the text of an `if` without `else`, null if it is well as it is. */
export function branchText(context, node) {
  if (node.elseStatement !== undefined) return null;
  const then = () => context.render(context, node.thenStatement);
  const any = clauses(context, node.expression, true);
  if (any.length > 1 && jumps(node.thenStatement)) return oneStatement(node, ifAny(any, then()));
  const none = clauses(context, node.expression, false);
  if (none.length < 2) return null;
  const all = none.map((clause) => `if (${textOf(opposite(clause))})`).join(' ');
  return oneStatement(node, `${all} ${then()}`);
}

/** @returns the text of `return a ? b : c`, null for another return. */
export function returnText(context, node) {
  let value = node.expression;
  while (value && ts.isParenthesizedExpression(value)) value = value.expression;
  if (!value || !ts.isConditionalExpression(value)) return null;
  const then = `return ${context.render(context, value.whenTrue)};`;
  const otherwise = `return ${context.render(context, value.whenFalse)};`;
  const any = clauses(context, value.condition, true);
  if (any.length > 1) return oneStatement(node, `${ifAny(any, then)} ${otherwise}`);
  const none = clauses(context, value.condition, false);
  return none.length > 1 ? oneStatement(node, `${ifAny(none, otherwise)} ${then}`) : null;
}

/** Statements in place of one: in braces where only one may stand. */
function oneStatement({ parent }, text) {
  return ts.isBlock(parent) ? text : `{ ${text} }`;
}

function ifAny(any, then) {
  return any.map((clause) => `if (${textOf(clause)}) ${then}`).join(' ');
}

function textOf({ text, wanted }) {
  return wanted ? text : `!(${text})`;
}

function opposite({ text, wanted }) {
  return { text, wanted: !wanted };
}

/**
 * What to ask, in order, so that one is as wanted if and only if the node is.
 * @returns {{ text: string, wanted: boolean }[]}
 */
function clauses(context, node, wanted) {
  if (ts.isParenthesizedExpression(node) || ts.isYieldExpression(node)) {
    return clauses(context, node.expression, wanted);
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return clauses(context, node.operand, !wanted);
  }
  const splits = wanted ? ts.SyntaxKind.BarBarToken : ts.SyntaxKind.AmpersandAmpersandToken;
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === splits) {
    return [node.left, node.right].flatMap((side) => clauses(context, side, wanted));
  }
  const condition = conditionCalled(context, node);
  if (condition !== null) {
    const inner = clauses(condition.context, condition.expression, wanted);
    if (inner.length > 1) return inner;
  }
  return [{ text: context.render(context, node), wanted }];
}

/** The condition that a called function is, with arguments for parameters, or null. */
function conditionCalled(context, node) {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return null;
  const { sources } = context.state;
  const meant = sources.resolve(context.unit, node.expression.text);
  if (meant?.kind !== 'function' || !context.state.making.inline(meant.name)) return null;
  const { parameters, body } = meant.unit.functions.get(meant.name);
  const [only] = body.statements;
  if (!ts.isReturnStatement(only) || only.expression === undefined) return null;
  const simple = node.arguments.every((arg) => ts.isIdentifier(arg) || ts.isNumericLiteral(arg));
  if (!simple) return null;
  const given = new Map(
    parameters.map(({ name }, i) => [name.text, context.render(context, node.arguments[i])]),
  );
  const inner = {
    ...context,
    unit: meant.unit,
    names: new Set(given.keys()),
    given,
    bytes: undefined,
    body,
    flavour: context.flavourOf(context.state, meant.name, context.flavour),
  };
  return { context: inner, expression: only.expression };
}

/** Does a statement leave where it stands, and do nothing else? */
function jumps(node) {
  const only = ts.isBlock(node) && node.statements.length === 1 ? node.statements[0] : node;
  return ts.isReturnStatement(only) || ts.isBreakStatement(only) || ts.isContinueStatement(only);
}
