export interface Mutation {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly tests: readonly string[];
  readonly why: string;
}

export const mutations: readonly Mutation[];
