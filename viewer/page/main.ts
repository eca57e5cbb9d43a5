/** Opens the race that the page holds, in the place of the table for readers without scripts. */
import type { PageData } from '../../src/report/page-data.ts';
import { App } from './app.ts';
import { unpackJson } from './unpack.ts';

async function open(): Promise<void> {
  const app = new App(await unpackJson<PageData>('race'));
  document.getElementById('plain')?.classList.add('print-only');
  document.body.prepend(app.element);
  document.documentElement.classList.add('running');
  app.begin();
  // For the console of whoever wants more than the page shows.
  Object.assign(globalThis, {
    gntrace: { record: () => app.record, readyAfter: performance.now() },
  });
  document.documentElement.dataset['ready'] = 'true';
}

void open();
