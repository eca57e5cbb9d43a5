/**
 * Reads simulated code for compilation: what a file declares, where each name that it uses comes
 * from, and which declarations a set of entry functions reaches.
 *
 * Operations are the edge: src/shared/operations.ts is not followed, its place is taken by a module
 * of WebAssembly's own instructions (operations.*.as).
 */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

const K = ts.SyntaxKind;

/** The module whose functions become instructions, and those that only hold types or machinery. */
export const OPERATIONS = 'src/shared/operations.ts';
const machineryOnly = new Set(['src/shared/op.ts', 'src/shared/table.ts']);

/**
 * One file: its declarations by name.
 * @typedef {{ path: string, file: ts.SourceFile, functions: Map<string, ts.FunctionDeclaration>,
 *   constants: Map<string, ts.Expression>, tables: Map<string, object>,
 *   imports: Map<string, { from: string, name: string }> }} Unit
 */

/** Opens files once and resolves names across them. */
export class Sources {
  /** @param {string} root - of the project. */
  constructor(root) {
    this.root = root;
    /** @type {Map<string, Unit>} */
    this.units = new Map();
  }

  /** @returns {Unit} the file at a path from the root. */
  unit(path) {
    let unit = this.units.get(path);
    if (unit === undefined) {
      unit = readUnit(path, readFileSync(join(this.root, path), 'utf8'));
      this.units.set(path, unit);
    }
    return unit;
  }

  /**
   * What a name means in a file, followed through imports.
   * @returns {{ unit: Unit, name: string, kind: 'function' | 'constant' | 'table' | 'operation' }
   *   | null} null for a name that is no declaration of a module.
   */
  resolve(unit, name) {
    if (unit.functions.has(name)) return { unit, name, kind: 'function' };
    if (unit.tables.has(name)) return { unit, name, kind: 'table' };
    if (unit.constants.has(name)) return { unit, name, kind: 'constant' };
    const imported = unit.imports.get(name);
    if (imported === undefined || machineryOnly.has(imported.from)) return null;
    if (imported.from === OPERATIONS) return { unit, name: imported.name, kind: 'operation' };
    return this.resolve(this.unit(imported.from), imported.name);
  }

  /** The value of a constant expression. */
  evaluate(unit, node) {
    if (ts.isParenthesizedExpression(node)) return this.evaluate(unit, node.expression);
    if (ts.isNumericLiteral(node)) return Number(node.text);
    if (ts.isIdentifier(node)) {
      const meant = this.resolve(unit, node.text);
      if (meant?.kind === 'constant') {
        return this.evaluate(meant.unit, meant.unit.constants.get(meant.name));
      }
    }
    if (ts.isPrefixUnaryExpression(node)) {
      const value = this.evaluate(unit, node.operand);
      if (node.operator === K.MinusToken) return -value;
      if (node.operator === K.TildeToken) return ~value;
    }
    if (ts.isBinaryExpression(node)) {
      const by = binary.get(node.operatorToken.kind);
      if (by) return by(this.evaluate(unit, node.left), this.evaluate(unit, node.right));
    }
    throw at(unit, node, 'is no constant that can be compiled');
  }
}

const binary = new Map([
  [K.PlusToken, (a, b) => a + b],
  [K.MinusToken, (a, b) => a - b],
  [K.AsteriskToken, (a, b) => a * b],
  [K.AsteriskAsteriskToken, (a, b) => a ** b],
  [K.BarToken, (a, b) => a | b],
  [K.AmpersandToken, (a, b) => a & b],
  [K.CaretToken, (a, b) => a ^ b],
  [K.LessThanLessThanToken, (a, b) => a << b],
  [K.GreaterThanGreaterThanToken, (a, b) => a >> b],
]);

/** An error that names the place. */
export function at(unit, node, what) {
  const { line } = unit.file.getLineAndCharacterOfPosition(node.getStart(unit.file));
  return new Error(`${unit.path}:${line + 1}: ${node.getText(unit.file)} ${what}`);
}

function readUnit(path, text) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const unit = {
    path,
    file,
    functions: new Map(),
    constants: new Map(),
    tables: new Map(),
    imports: new Map(),
  };
  for (const node of file.statements) {
    if (ts.isFunctionDeclaration(node) && node.name) unit.functions.set(node.name.text, node);
    else if (ts.isVariableStatement(node)) readConstants(unit, node);
    else if (ts.isImportDeclaration(node)) readImports(unit, node);
  }
  return unit;
}

function readImports(unit, node) {
  const bindings = node.importClause?.namedBindings;
  if (node.importClause?.isTypeOnly || !bindings || !ts.isNamedImports(bindings)) return;
  const from = normalize(join(dirname(unit.path), node.moduleSpecifier.text));
  for (const item of bindings.elements) {
    unit.imports.set(item.name.text, { from, name: (item.propertyName ?? item.name).text });
  }
}

function readConstants(unit, node) {
  for (const { name, initializer } of node.declarationList.declarations) {
    if (!ts.isIdentifier(name) || initializer === undefined) continue;
    const table = readTable(initializer);
    if (table === null) unit.constants.set(name.text, initializer);
    else unit.tables.set(name.text, { ...table, id: name.text });
  }
}

/** The shape of `defineTable(name, dims, fields, options)`, or null for something else. */
function readTable(node) {
  if (!ts.isCallExpression(node) || node.expression.getText() !== 'defineTable') return null;
  const [name, dims, fields, options] = node.arguments;
  const fieldNames = fields.properties.map((property) => property.name.text);
  const lineAligned = /lineAligned:\s*true/.test(options?.getText() ?? '');
  const stride = lineAligned ? Math.ceil(fieldNames.length / 16) * 16 : fieldNames.length;
  const writtenBy = (writer) =>
    fields.properties
      .filter((property) => property.initializer.text.startsWith(`[${writer}]`))
      .map((property) => property.name.text);
  const dimensions = dims.elements.map((element) => element.text);
  const [boot, own] = [writtenBy('BOOT'), writtenBy('VCPU')];
  return { name: name.text, dimensions, fieldNames, boot, own, stride };
}
