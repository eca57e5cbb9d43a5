/** Times as people write and read them. */
import { UsageError } from './usage.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads `90`, `90s`, `5m`, `8h` or `2d`. @returns seconds. */
export function durationSeconds(text: string, what: string): number {
  const found = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text);
  const value = found === null ? NaN : Number(found[1]) * (SECONDS[found[2] || 's'] as number);
  if (value > 0 && value <= 1e8) return value;
  throw new UsageError(`${what} must be a time like 90s, 5m, 8h or 2d, not "${text}"`);
}

/** 3725 → `1 h 2 min`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
