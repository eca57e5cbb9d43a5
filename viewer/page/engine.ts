/** The page's side of the engine: starts the worker when it is first asked, and asks it. */
import type { Answers, Question, Reply } from '../engine/protocol.ts';
import { holds, unpack } from './unpack.ts';

interface Waiting {
  readonly done: (answer: Answers[Question['ask']]) => void;
  readonly failed: (error: Error) => void;
}

export class Engine {
  private worker: Promise<Worker> | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;

  /** Does the page hold an engine, and can this browser run it? */
  static exists(): boolean {
    return holds('engine') && typeof Worker === 'function';
  }

  /** Asks. @throws Error with one line for the reader. */
  async ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']]> {
    this.worker ??= this.start();
    const worker = await this.worker;
    const number = this.asked++;
    const answer = new Promise<Answers[Question['ask']]>((done, failed) => {
      this.waiting.set(number, { done, failed });
    });
    worker.postMessage({ number, question });
    return (await answer) as Answers[Q['ask']];
  }

  private async start(): Promise<Worker> {
    const code = new Blob([await unpack('engine')], { type: 'text/javascript' });
    const worker = new Worker(URL.createObjectURL(code));
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      const waiting = this.waiting.get(data.number);
      this.waiting.delete(data.number);
      if ('error' in data) waiting?.failed(new Error(data.error));
      else waiting?.done(data.answer);
    });
    worker.addEventListener('error', ({ message }) => {
      for (const { failed } of this.waiting.values()) failed(new Error(message));
      this.waiting.clear();
    });
    return worker;
  }
}
