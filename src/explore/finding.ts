/** What a run can find: a complaint of an invariant, and the finding that carries its seed. */

/** Something that must hold does not. */
export interface Complaint {
  /** Short name: the same bug has the same name. */
  readonly invariant: string;
  readonly message: string;
  /** Names of the words that show it. */
  readonly words: readonly string[];
}

/** A complaint and how to see it again. */
export interface Finding extends Complaint {
  readonly seed: string;
  /** Processes in the order in which they went. */
  readonly schedule: readonly number[];
  /** Choices of data in their order. */
  readonly choices: readonly number[];
}

/** `name: message` is taken apart; a text without a colon is both. */
export function complaintOf(text: string | Complaint | null): Complaint | null {
  if (text === null || typeof text !== 'string') return text;
  const colon = text.indexOf(': ');
  return { invariant: colon < 0 ? text : text.slice(0, colon), message: text, words: [] };
}
