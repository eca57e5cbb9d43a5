export function decode(mappings: string): number[][][];
export function encode(lines: number[][][]): string;
