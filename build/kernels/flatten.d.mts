export function flatten(text: string): string;
