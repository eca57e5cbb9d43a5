/** The function of a place, with its line marked. */
import type { Place } from '../../src/report/places.ts';
import type { SourcePiece } from '../../src/report/page-data.ts';
import { h, replace } from './dom.ts';

const COMMENT = /(\/\/.*|\/\*.*?\*\/|^\s*\/?\*.*)/;
const TEXT = /('[^']*'|`[^`]*`)/;
const CONTROL = 'if|else|for|while|switch|case|default|break|continue|return|yield';
const WORD = new RegExp(`\\b(const|let|export|function|${CONTROL})\\b`);
const NUMBER = /\b(\d+|0x[\da-f]+)\b/;
const TOKENS = new RegExp([COMMENT, TEXT, WORD, NUMBER].map(({ source }) => source).join('|'), 'g');

export class SourcePanel {
  readonly element = h('section', { class: 'source', 'aria-label': 'Source' });
  private readonly title = h('h2', {});
  private readonly code = h('div', { class: 'code', tabindex: 0, role: 'region' });
  private pieces: readonly SourcePiece[];
  private shown: SourcePiece | null = null;

  constructor(pieces: readonly SourcePiece[]) {
    this.pieces = pieces;
    this.element.append(this.title, this.code);
  }

  setPieces(pieces: readonly SourcePiece[]): void {
    this.pieces = pieces;
  }

  show(place: Place | null): void {
    if (place === null) {
      replace(this.title, 'Source');
      replace(this.code, h('p', {}, 'Nothing is known of where this step stands.'));
      this.shown = null;
      return;
    }
    const { file, line, fn } = place;
    replace(this.title, fn, h('span', { class: 'file' }, ` ${file}:${line}`));
    this.code.setAttribute('aria-label', `Source of ${fn}, ${file}`);
    const piece = this.pieces.find(
      ({ file: of, from, lines }) => of === file && line >= from && line < from + lines.length,
    );
    if (piece === undefined) {
      this.shown = null;
      replace(
        this.code,
        h('p', {}, `The page holds the functions of the race it was written for, not ${fn}.`),
      );
      return;
    }
    if (this.shown !== piece) {
      replace(this.code, ...piece.lines.map((text, i) => codeLine(piece.from + i, text)));
      this.shown = piece;
    }
    this.mark(line - piece.from);
  }

  private mark(index: number): void {
    for (const row of this.code.querySelectorAll('[aria-current]')) {
      row.removeAttribute('aria-current');
    }
    const row = this.code.children[index];
    if (!(row instanceof HTMLElement)) return;
    row.setAttribute('aria-current', 'true');
    this.code.scrollTop = row.offsetTop - this.code.offsetTop - this.code.clientHeight / 3;
  }
}

function codeLine(number: number, text: string): HTMLElement {
  return h(
    'div',
    { class: 'line' },
    h('span', { class: 'number', 'aria-hidden': 'true' }, String(number)),
    h('span', { class: 'text' }, ...tinted(text), '\n'),
  );
}

/** Comments, strings, keywords and numbers apart. */
function tinted(text: string): (string | HTMLElement)[] {
  const parts: (string | HTMLElement)[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [whole, comment, string, keyword] = match;
    if (match.index > at) parts.push(text.slice(at, match.index));
    const name =
      comment !== undefined
        ? 'comment'
        : string !== undefined
          ? 'string'
          : keyword !== undefined
            ? 'keyword'
            : 'number-token';
    parts.push(h('span', { class: name }, whole));
    at = match.index + whole.length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}
