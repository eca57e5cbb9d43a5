/**
 * The public headers as a C compiler sees them: a program that prints the value of each expression.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREAMBLE = `
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/event_channel.h>
#include <xen/gntdev.h>
#include <xen/gntalloc.h>
#include <xen/evtchn.h>
`;

const HEADERS = [
  'xen.h',
  'errno.h',
  'grant_table.h',
  'event_channel.h',
  'gntdev.h',
  'gntalloc.h',
  'evtchn.h',
];

/** Why the headers cannot be compiled on this machine; null if they can. */
export function headersMissing(): string | null {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'there is no C compiler called cc';
  }
  const missing = HEADERS.find((name) => !existsSync(join('/usr/include/xen', name)));
  if (missing === undefined) return null;
  return `there is no /usr/include/xen/${missing} (Debian: libxen-dev, linux-libc-dev)`;
}

/** The values of integer constant expressions in C, in their order. */
export function valuesInC(expressions: readonly string[]): number[] {
  const directory = mkdtempSync(join(tmpdir(), 'gntrace-abi-'));
  try {
    const prints = expressions.map((text) => `  printf("%lld\\n", (long long)(${text}));`);
    const program = join(directory, 'abi');
    writeFileSync(`${program}.c`, `${PREAMBLE}int main(void) {\n${prints.join('\n')}\n}\n`);
    execFileSync('cc', ['-D__XEN_TOOLS__', '-w', '-o', program, `${program}.c`]);
    const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    return lines.map(Number);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
