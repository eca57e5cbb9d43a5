/** Names with `*` and `?`, and `all`. */

/** Does a name match one of these globs? */
export function matches(name: string, globs: readonly string[]): boolean {
  return globs.some((glob) => glob === 'all' || expressionOf(glob).test(name));
}

function expressionOf(glob: string): RegExp {
  const body = glob.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${body.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
