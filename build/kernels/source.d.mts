export class Sources {
  constructor(root: string);
}
