export class Sources {
  constructor(root: string);
  readonly root: string;
}
