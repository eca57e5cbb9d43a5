/** A headless Chromium for tests of pages, and a page that remembers what must not happen. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Is there a browser? If not, says so: tests that need one are then reported as skipped. */
export function hasChromium(): boolean {
  if (existsSync(EXECUTABLE)) return true;
  console.log(`skipped: no browser at ${EXECUTABLE} (apt-get install chromium)`);
  return false;
}

export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors, violations of the policy. */
  readonly complaints: readonly string[];
  /** What was loaded; from memory of the page itself (blob:) is not from anywhere. */
  readonly requests: readonly string[];
}

export interface Sight {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  /** false: the page's scripts do not run. */
  readonly scripts?: boolean;
  /** Part of the address behind `#`. */
  readonly hash?: string;
}

/** One browser, and a folder for pages. */
export class Chromium {
  readonly folder = mkdtempSync(join(tmpdir(), 'gntrace-page-'));
  private browser: Browser | null = null;

  /** Writes the page of a race to disk, opens it from there, and waits until it is drawn. */
  async open(html: string, sight: Sight = {}): Promise<Opened> {
    const file = join(this.folder, 'page.html');
    writeFileSync(file, html);
    const opened = await this.visit(file, sight);
    if (sight.scripts !== false) await opened.page.waitForSelector('html[data-ready]');
    return opened;
  }

  /** Opens a page from disk. */
  async visit(file: string, sight: Sight = {}): Promise<Opened> {
    this.browser ??= await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
    const { width = 1360, height = 860, scheme = 'light', scripts = true, hash = '' } = sight;
    const context = await this.browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      javaScriptEnabled: scripts,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => {
      if (message.type() !== 'log') complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('blob:')) requests.push(request.url());
    });
    await page.goto(pathToFileURL(file).href + hash);
    return { page, complaints, requests };
  }

  async close(): Promise<void> {
    await this.browser?.close();
    rmSync(this.folder, { recursive: true });
  }
}
