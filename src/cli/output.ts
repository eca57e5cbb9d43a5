/**
 * Where results and progress go: results to stdout, progress and errors to stderr, progress only
 * on a terminal. Colour adds emphasis on a terminal and never carries meaning alone.
 */

/** Ends quietly when the reader of a pipe has gone. */
export function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
}

/** Does this stream get colour? */
function colours(stream: NodeJS.WriteStream): boolean {
  if ((process.env['NO_COLOR'] ?? '') !== '') return false;
  const forced = process.env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY && process.env['TERM'] !== 'dumb';
}

function paint(text: string, code: number): string {
  return text !== '' && colours(process.stdout) ? `\x1b[${code}m${text}\x1b[0m` : text;
}

export function bold(text: string): string {
  return paint(text, 1);
}

export function red(text: string): string {
  return paint(text, 31);
}

export function green(text: string): string {
  return paint(text, 32);
}

export function yellow(text: string): string {
  return paint(text, 33);
}

export function dim(text: string): string {
  return paint(text, 2);
}

/** Prints a result. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints an error in one line. */
export function complain(message: string): void {
  process.stderr.write(`gntrace: ${message.replaceAll(/\s*\n\s*/g, ' ').trim()}\n`);
}

/** A line on stderr that is written over and over; silent where stderr is no terminal. */
export class LiveLine {
  private readonly on = process.stderr.isTTY;

  show(text: string): void {
    if (!this.on) return;
    const width = Math.max(process.stderr.columns || 80, 20) - 1;
    process.stderr.write(`\r\x1b[K${text.slice(0, width)}`);
  }

  clear(): void {
    if (this.on) process.stderr.write('\r\x1b[K');
  }
}

/** 1234567 → "1.23 M"; for people. */
export function short(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return String(Math.round(value));
}
