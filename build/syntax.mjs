/** The walk over a syntax tree that is shared by what rewrites JavaScript. */

/** Calls `see` for each node of a syntax tree, inner nodes first, in the order of the text. */
export function visit(node, see) {
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (item?.type !== undefined) visit(item, see);
    } else if (value?.type !== undefined) {
      visit(value, see);
    }
  }
  see(node);
}
