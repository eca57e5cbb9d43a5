export function placeConstants(
  bytes: Uint8Array,
  isPlace: (name: string) => boolean,
): { bytes: Uint8Array; places: Record<string, number[]> };
