/** Work for the next frame: done once, however often it is asked for until then. */
export function nextFrame(work: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

/** Work for when nothing asked for it again for so long. */
export function whenQuiet(milliseconds: number, work: () => void): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds) as unknown as number;
  };
}
