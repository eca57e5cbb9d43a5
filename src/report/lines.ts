/** Lines of text of a limited width: what a terminal shows, with emphasis told apart from it. */

/** What a line is, for whoever adds colour. Colour never carries meaning alone. */
export type LineStyle = 'title' | 'race' | 'switch' | 'quiet' | 'plain';

export interface Line {
  readonly text: string;
  readonly style: LineStyle;
}

/** Signs, in ASCII or not. */
export interface Marks {
  readonly bar: string;
  readonly becomes: string;
  readonly is: string;
  readonly rule: string;
  readonly cut: string;
  /** Something is left out. */
  readonly left: string;
}

export function marksOf(ascii: boolean): Marks {
  return ascii
    ? { bar: '|', becomes: '=>', is: '->', rule: '-', cut: '>', left: '..' }
    : { bar: '│', becomes: '⇒', is: '→', rule: '─', cut: '…', left: '⋯' };
}

const IN_ASCII: Readonly<Record<string, string>> = {
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '…': '...',
  '⇒': '=>',
  '→': '->',
  '×': 'x',
};

/** Text from names and messages: no control characters, so that it cannot steer a terminal. */
export function printable(text: string, ascii: boolean): string {
  // oxlint-disable-next-line no-control-regex
  const safe = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/g, '?');
  // oxlint-disable-next-line no-control-regex
  return ascii ? safe.replaceAll(/[^\u0000-\u007f]/g, (sign) => IN_ASCII[sign] ?? '?') : safe;
}

/** Cuts a text that is too long, and says so. */
export function cut(text: string, width: number, { cut: sign }: Marks): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 0))}${sign}`;
}

/** The text in exactly so many columns. */
export function pad(text: string, width: number, marks: Marks): string {
  return cut(text, width, marks).padEnd(width);
}

/** Breaks a text at spaces; a word that is too long behind `|`, `.` or `]`, else anywhere. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 <= width) {
      line = `${line} ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (line.length > width) {
      const at = softBreak(line, width);
      lines.push(line.slice(0, at));
      line = line.slice(at);
    }
  }
  return [...lines, line];
}

/** Where to break a word that is longer than `width`. */
function softBreak(word: string, width: number): number {
  for (let at = width; at > width / 2; at--) if ('|.]/'.includes(word[at - 1] as string)) return at;
  return width;
}
