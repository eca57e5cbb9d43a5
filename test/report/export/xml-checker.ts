/** Reads XML strictly, as far as JUnit files need it, and throws at the first thing wrong. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
const TAG = /<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>/y;

function decoded(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text))
    throw new Error('character');
  return text.replaceAll(/&([^;]*;)?/g, (_, name: string | undefined) => {
    const sign = ENTITIES[name?.slice(0, -1) ?? ''];
    if (sign === undefined) throw new Error(`entity &${name}`);
    return sign;
  });
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([\w:.-]+)="([^"]*)"/g)) {
    if (name in attributes) throw new Error(`attribute ${name} twice`);
    attributes[name] = decoded(value);
  }
  return attributes;
}

/** The root element. */
export function parseXml(xml: string): Element {
  const begin = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!xml.startsWith(begin)) throw new Error('declaration');
  const top: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  let at = begin.length;
  while (at < xml.length) {
    const inside = open.at(-1) as Element;
    const next = xml.indexOf('<', at);
    inside.text += decoded(xml.slice(at, next < 0 ? xml.length : next));
    if (next < 0) break;
    TAG.lastIndex = next;
    const tag = TAG.exec(xml);
    if (tag === null) throw new Error(`tag at ${next}: ${xml.slice(next, next + 40)}`);
    const [, closes, name = '', attributes = '', empty] = tag;
    at = TAG.lastIndex;
    if (closes === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}>`);
      continue;
    }
    const element: Element = { name, attributes: attributesOf(attributes), children: [], text: '' };
    inside.children.push(element);
    if (empty !== '/') open.push(element);
  }
  const [root] = top.children;
  if (open.length !== 1 || top.children.length !== 1 || root === undefined) throw new Error('root');
  if (top.text.trim() !== '') throw new Error('text outside');
  return root;
}
