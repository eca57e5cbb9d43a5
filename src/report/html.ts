/**
 * Pages that stand alone: one file, nothing fetched, and a policy that forbids it. Whatever comes
 * from names, words or notes is data and goes through `text`.
 */
import { createHash } from 'node:crypto';

/** A piece of HTML that is safe to put into a page. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Data as HTML. */
export function text(data: string): Html {
  return new Html(data.replaceAll(/[&<>"']/g, (character) => entities[character] as string));
}

type Part = Html | string | number | readonly Html[];

/** HTML from a template; whatever is put in is data unless it is Html itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    strings.reduce((out, string, i) => {
      const part = i === 0 ? '' : markupOf(parts[i - 1] as Part);
      return out + part + string;
    }, ''),
  );
}

function markupOf(part: Part): string {
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(({ markup }) => markup).join('');
  return text(String(part)).markup;
}

/** A relative path as a link: nothing in it is a scheme, a query or markup. */
export function urlOf(path: string): string {
  const parts = path.split(/[\\/]/).map((part) => encodeURIComponent(part));
  return `./${parts.join('/')}`;
}

/** What a page may have beside markup. */
export interface PageParts {
  /** Its style sheet; nothing else may style. */
  readonly style: string;
  /** Its script; nothing else may run. */
  readonly script?: string;
  /** May the script start workers of what is in the page? */
  readonly workers?: boolean;
}

/** A whole page. */
export function page(title: string, { style, script, workers }: PageParts, body: Html): string {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    ...(script === undefined ? [] : [`script-src '${hashOf(script)}'`]),
    ...(workers === true ? ['worker-src blob:'] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n` +
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n' +
    `<title>${text(title).markup}</title>\n<style>${style}</style>\n</head>\n` +
    `<body>\n${body.markup}\n` +
    (script === undefined ? '' : `<script>${script}</script>\n`) +
    '</body>\n</html>\n'
  );
}

function hashOf(part: string): string {
  return `sha256-${createHash('sha256').update(part).digest('base64')}`;
}
