/**
 * Goal: the page of the matrix shows every cell, and names, words and notes in it are data,
 * whatever they contain; it asks for nothing and runs nothing. Method: a matrix whose texts try
 * to be markup.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { html } from '../../src/report/html.ts';
import { matrixPage } from '../../src/report/matrix-page.ts';

const evil = '<img src=x onerror="alert(1)">';
const made = matrixPage({
  code: 'abc',
  designs: ['none', 'one', 'two'],
  races: [
    { name: evil, about: evil, sources: [evil], designs: ['one', 'two'] },
    {
      name: 'old',
      about: 'of the past',
      sources: [],
      designs: ['before', 'after'],
      bug: { id: 'X0', title: evil, story: [evil], fix: evil, fixedIn: evil },
    },
  ],
  cells: [
    {
      race: evil,
      design: 'one',
      memory: 'sc',
      verdict: 'broken',
      executions: 3,
      strategy: 'pct',
      seconds: 1,
      seed: evil,
      invariant: 'I8',
      message: evil,
      preemptions: 2,
    },
    {
      race: 'old',
      design: 'after',
      memory: 'tso',
      verdict: 'safe',
      executions: 1234,
      strategy: 'optimal',
      seconds: 1,
    },
  ],
});

test('data stays text', () => {
  expect(made).not.toContain('<img');
  expect(made).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;');
});

test('the policy allows the page its style and nothing else', () => {
  const style = /<style>([^]*)<\/style>/.exec(made)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(made).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
  expect(made).not.toMatch(/<script|style=|https?:/);
});

test('each cell is there, and a question that was not asked says so', () => {
  expect(made).toContain('sc broken I8');
  expect(made).toContain('tso safe');
  expect(made).toContain('optimal, 1234 executions');
  expect(made).toContain('not asked');
});

test('a template takes text, numbers, markup and lists', () => {
  const list = [html`<b>1</b>`, html`<b>2</b>`];
  expect(html`a${'<'}b${3}c${list}d`.markup).toBe('a&lt;b3c<b>1</b><b>2</b>d');
});
