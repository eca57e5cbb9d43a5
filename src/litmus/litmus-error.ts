/** What a litmus file holds that cannot be read, by line. */
export class LitmusError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
