export function strip(path: string, text: string): string;
