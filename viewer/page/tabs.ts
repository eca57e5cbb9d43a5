/** Panels of which one is seen, as the pattern of tabs has it: arrows move between them. */
import { h } from './dom.ts';

export interface Tab {
  readonly name: string;
  readonly panel: HTMLElement;
  /** Called whenever it comes into sight. */
  readonly shown: () => void;
}

export class Tabs {
  readonly element: HTMLElement;
  private readonly tabs: readonly Tab[];
  private readonly buttons: readonly HTMLButtonElement[];
  private readonly panels: readonly HTMLElement[];
  private current = 0;

  constructor(label: string, tabs: readonly Tab[]) {
    this.tabs = tabs;
    this.buttons = tabs.map(({ name }, i) =>
      h(
        'button',
        {
          type: 'button',
          role: 'tab',
          id: `tab-${name}`,
          'aria-controls': `panel-${name}`,
          click: () => this.show(i),
          keydown: (event) => this.key(event as KeyboardEvent),
        },
        name,
      ),
    );
    this.panels = tabs.map(({ name, panel }) =>
      h('div', { role: 'tabpanel', id: `panel-${name}`, 'aria-labelledby': `tab-${name}` }, panel),
    );
    this.element = h(
      'section',
      { class: 'tabs', 'aria-label': label },
      h('div', { role: 'tablist', 'aria-label': label }, ...this.buttons),
      ...this.panels,
    );
    this.show(0);
  }

  show(index: number): void {
    this.current = index;
    this.buttons.forEach((tab, i) => {
      tab.setAttribute('aria-selected', String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    this.panels.forEach((panel, i) => (panel.hidden = i !== index));
    this.tabs[index]?.shown();
  }

  private key(event: KeyboardEvent): void {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const count = this.tabs.length;
    this.show((this.current + by + count) % count);
    this.buttons[this.current]?.focus();
  }
}
