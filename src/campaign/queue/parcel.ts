/**
 * What travels through a queue: data with the version of the code it is for and a checksum. Whoever
 * receives a parcel takes it apart here, or refuses it; nothing of it is ever run.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Outcome, Work } from '../work.ts';
import { outcomeSchema, workSchema } from './schema.ts';

export const PARCEL_VERSION = 1;

/** Something that must not be taken; the message is one line. */
export class RefusedError extends Error {}

const parcelSchema = v.strictObject({
  v: v.number(),
  /** Of the campaign. */
  campaign: v.string(),
  /** Of the code (code-version.ts). */
  code: v.string(),
  /** Names the work in its campaign. */
  key: v.string(),
  /** JSON. */
  content: v.string(),
  /** Over all that stands before. */
  checksum: v.string(),
});

export type Parcel = v.InferOutput<typeof parcelSchema>;

/** Whose parcel it is. */
export interface Address {
  readonly campaign: string;
  readonly code: string;
  readonly key: string;
}

/** Packs work, or what came of it. */
export function pack({ campaign, code, key }: Address, content: Work | Outcome): Parcel {
  const parcel = { v: PARCEL_VERSION, campaign, code, key, content: JSON.stringify(content) };
  return { ...parcel, checksum: checksumOf(parcel) };
}

/** Takes work out of a parcel. @throws RefusedError. */
export function unpackWork(data: unknown, code: string): { address: Address; work: Work } {
  const { address, content } = unpack(data, code);
  return { address, work: checked(workSchema, content) as Work };
}

/** Takes an outcome out of a parcel. @throws RefusedError. */
export function unpackOutcome(data: unknown, { campaign, code, key }: Address): Outcome {
  const { address, content } = unpack(data, code);
  if (address.campaign !== campaign || address.key !== key) {
    throw new RefusedError(`refused: an outcome of ${address.key} came for ${key}`);
  }
  return checked(outcomeSchema, content) as Outcome;
}

function unpack(data: unknown, code: string): { address: Address; content: string } {
  const parsed = v.safeParse(parcelSchema, data);
  if (!parsed.success) throw new RefusedError(`refused: no parcel (${parsed.issues[0].message})`);
  const { checksum, ...parcel } = parsed.output;
  if (parcel.v !== PARCEL_VERSION) {
    throw new RefusedError(`refused: version ${parcel.v}; this gntrace takes ${PARCEL_VERSION}`);
  }
  if (checksum !== checksumOf(parcel)) {
    throw new RefusedError('refused: damaged, its checksum does not fit');
  }
  if (parcel.code !== code) {
    throw new RefusedError(`refused: for other code (${parcel.code}, this is ${code})`);
  }
  return { address: parcel, content: parcel.content };
}

function checked(schema: v.GenericSchema, content: string): unknown {
  let data: unknown;
  try {
    data = JSON.parse(content);
  } catch {
    throw new RefusedError('refused: its content is no JSON');
  }
  const parsed = v.safeParse(schema, data);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new RefusedError(`refused: ${v.getDotPath(issue) ?? 'content'}: ${issue.message}`);
}

function checksumOf({
  v: version,
  campaign,
  code,
  key,
  content,
}: Omit<Parcel, 'checksum'>): string {
  const all = JSON.stringify([version, campaign, code, key, content]);
  return createHash('sha256').update(all).digest('hex').slice(0, 16);
}
