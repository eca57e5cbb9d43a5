/**
 * Names of operations in recordings: `gntdev.MAP_GRANT_REF`, `read(pipe, mapping)`,
 * `pwrite(/proc/self/mem) FOLL_FORCE on a read-only shared mapping`, `xen.GNTTABOP_copy x3`.
 */
export interface Operation {
  /** What is called: up to the first bracket or blank. */
  readonly name: string;
  /** What stands in the brackets. */
  readonly operands: readonly string[];
  /** What follows, in words. */
  readonly rest: string;
}

/** Takes an operation's name apart. */
export function parseOperation(text: string): Operation {
  const match = /^([^\s(]+)\s*(?:\(([^)]*)\))?\s*(.*)$/s.exec(text.trim());
  const [, name = text, inside = '', rest = ''] = match ?? [];
  const operands = inside.split(',').map((operand) => operand.trim());
  return { name, operands: operands.filter((operand) => operand !== ''), rest };
}
