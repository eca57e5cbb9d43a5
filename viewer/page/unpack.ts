/** Data that is embedded in the page: deflated, as base 64, in a script element that never runs. */

/** The bytes of an embedded element, inflated. @throws RangeError if the page has none. */
export async function unpack(id: string): Promise<Blob> {
  const packed = document.getElementById(id)?.textContent;
  if (packed === null || packed === undefined) throw new RangeError(`the page holds no ${id}`);
  const text = atob(packed.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(inflated).blob();
}

/** Embedded JSON. */
export async function unpackJson<T>(id: string): Promise<T> {
  const blob = await unpack(id);
  return JSON.parse(await blob.text()) as T;
}

/** Does the page hold it? */
export function holds(id: string): boolean {
  return document.getElementById(id) !== null;
}
