/** Words of a litmus file with their lines; comments are left out. */
import { LitmusError } from './litmus-error.ts';

export interface Token {
  readonly text: string;
  readonly line: number;
  readonly kind: 'name' | 'number' | 'sign';
}

const PATTERN = new RegExp(
  [
    /(?<space>[ \t\r\n]+)/,
    /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)/,
    /(?<number>0[xX][0-9a-fA-F]+|\d+)/,
    /(?<name>[A-Za-z_][A-Za-z0-9_.]*)/,
    /(?<long>\/\\|\\\/|=>|<>|->|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--)/,
    /(?<sign>[-+*/%&|^~!<>=(){}[\];,:$?.@#"'\\])/,
  ]
    .map((part) => part.source)
    .join('|'),
  'y',
);

/** Blanks out comments in the style of herd, (* … *), which may nest; lines stay. */
export function withoutComments(text: string, line: number): string {
  let out = '';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const two = text.slice(at, at + 2);
    if (two === '(*' || (two === '*)' && depth > 0)) {
      depth += two === '(*' ? 1 : -1;
      out += '  ';
      at++;
    } else {
      out += depth === 0 || text[at] === '\n' ? text[at] : ' ';
    }
  }
  if (depth > 0) throw new LitmusError(line, 'a comment (* is not closed');
  return out;
}

/**
 * Splits text into tokens.
 * @param text - the text. @param line - number of its first line in the file.
 */
export function tokenize(text: string, line: number): Token[] {
  const tokens: Token[] = [];
  PATTERN.lastIndex = 0;
  let at = 0;
  let here = line;
  while (at < text.length) {
    PATTERN.lastIndex = at;
    const groups = PATTERN.exec(text)?.groups;
    if (groups === undefined) throw new LitmusError(here, `cannot read "${text[at]}"`);
    const { name, number, long, sign } = groups;
    const token = name ?? number ?? long ?? sign;
    if (token !== undefined) {
      const kind = name !== undefined ? 'name' : number !== undefined ? 'number' : 'sign';
      tokens.push({ text: token, line: here, kind });
    }
    const eaten = text.slice(at, PATTERN.lastIndex);
    here += eaten.split('\n').length - 1;
    at = PATTERN.lastIndex;
  }
  return tokens;
}

/** A reading position in a list of tokens. */
export class Cursor {
  private at = 0;
  private readonly tokens: readonly Token[];
  private readonly lastLine: number;
  constructor(tokens: readonly Token[], firstLine: number) {
    this.tokens = tokens;
    this.lastLine = tokens.at(-1)?.line ?? firstLine;
  }
  get line(): number {
    return this.tokens[this.at]?.line ?? this.lastLine;
  }
  get done(): boolean {
    return this.at >= this.tokens.length;
  }
  /** The text `ahead` tokens from here, or '' at the end. */
  peek(ahead = 0): string {
    return this.tokens[this.at + ahead]?.text ?? '';
  }
  kind(ahead = 0): Token['kind'] | 'end' {
    return this.tokens[this.at + ahead]?.kind ?? 'end';
  }
  next(): string {
    if (this.done) throw this.error('the text ends too early');
    const text = this.peek();
    this.at++;
    return text;
  }
  /** Takes the token if it is `text`. @returns whether it was. */
  take(text: string): boolean {
    if (this.peek() !== text) return false;
    this.at++;
    return true;
  }
  expect(text: string): void {
    if (!this.take(text)) throw this.error(`expected "${text}", found "${this.peek()}"`);
  }
  name(what: string): string {
    if (this.kind() !== 'name') throw this.error(`expected ${what}, found "${this.peek()}"`);
    return this.next();
  }
  number(): number {
    const sign = this.take('-') ? -1 : 1;
    if (this.kind() !== 'number') throw this.error(`expected a number, found "${this.peek()}"`);
    const text = this.next();
    const value = sign * Number(text);
    if (value > 0x7fffffff || value < -0x80000000) {
      throw this.error(`${text} does not fit into 32 bits`);
    }
    return value;
  }
  error(message: string): LitmusError {
    return new LitmusError(this.line, message);
  }
}
