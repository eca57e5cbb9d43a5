import type { Report } from './results.ts';
export function pageOf(report: Report): string {
  return JSON.stringify(report);
}
