export function checkDialect(sources: readonly { path: string; text: string }[]): string[];
export function simulatedSources(root: string): { path: string; text: string }[];
