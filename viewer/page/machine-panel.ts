/** The machine at the selected step, each structure drawn as what it is. */
import { h, replace } from './dom.ts';
import { nextFrame } from './later.ts';
import { frames, tlbs } from './machine/frames.ts';
import { grants, maptrack } from './machine/grants.ts';
import { Look } from './machine/look.ts';
import { spaces } from './machine/spaces.ts';
import type { View } from './view.ts';

export class MachinePanel {
  readonly element = h('div', {
    class: 'machine',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Machine at this step',
  });
  private readonly view: View;

  constructor(view: View) {
    this.view = view;
    const soon = nextFrame(() => this.draw());
    view.listen((what) => {
      if (what === 'step' || what === 'race') soon();
    });
  }

  /** Looks only while it is seen. */
  draw(): void {
    if (this.element.closest('[hidden]') !== null) return;
    const { model, selected } = this.view;
    const { memory } = model;
    const changed = new Set(memory.changesOf(selected).map(({ word }) => word));
    const look = new Look(memory, changed, (word) => {
      const last = memory.lastWrite(word, selected);
      if (last >= 0) this.view.select(last);
    });
    const pictures = [
      ...grants(look),
      ...maptrack(look),
      ...spaces(look),
      tlbs(look),
      frames(look),
    ].filter((picture) => picture !== null);
    const none = 'This machine has no page tables, grants or frames: its words are under State.';
    replace(this.element, ...(pictures.length === 0 ? [h('p', {}, none)] : pictures));
  }
}
