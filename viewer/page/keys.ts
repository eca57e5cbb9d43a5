/** Keys, in one table that the help shows too. */
import { button, h } from './dom.ts';

export interface Key {
  /** As `KeyboardEvent.key` has them. */
  readonly keys: readonly string[];
  readonly does: string;
  readonly run: () => void;
}

const NAMES: Readonly<Record<string, string>> = {
  ArrowDown: '↓',
  ArrowUp: '↑',
  PageDown: 'Page down',
  PageUp: 'Page up',
};

/** Listens to keys wherever they type nothing. */
export function listenToKeys(keys: readonly Key[]): void {
  const byKey = new Map(keys.flatMap((key) => key.keys.map((name) => [name, key] as const)));
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target instanceof Element && typesInto(event.target, event.key)) return;
    const key = byKey.get(event.key);
    if (key === undefined) return;
    event.preventDefault();
    key.run();
  });
}

/** Does the element take this key itself? */
function typesInto(target: Element, key: string): boolean {
  if (key === 'Escape') return false;
  if (target.closest('dialog') !== null) return true;
  const input = target.closest('input');
  if (input !== null) return input.type === 'search' || key.startsWith('Arrow');
  const scrolls = target.closest('.source, .state, .machine, .play') !== null;
  const moves = /^(Arrow|Page|Home|End)/.test(key);
  return target.closest('select') !== null || (scrolls && moves);
}

/** The help. */
export function helpDialog(keys: readonly Key[]): HTMLDialogElement {
  const rows = keys.map(({ keys: names, does }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, ...names.map((name) => h('kbd', {}, NAMES[name] ?? name))),
      h('td', {}, does),
    ),
  );
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'help-title' },
    h('h2', { id: 'help-title' }, 'Keys'),
    h('table', {}, h('tbody', {}, ...rows)),
    h(
      'p',
      {},
      'R read, W write, X atomic, A wait, B barrier, F a buffered store reaches memory, ' +
        'C choice of data.',
    ),
    button('close', () => dialog.close()),
  );
  return dialog;
}
