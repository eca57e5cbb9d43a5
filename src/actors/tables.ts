/** The tables of the programs, their default sizes, and the checks of those. */
import { ConfigError } from '../shared/layout.ts';
import type { AnyTable, Config } from '../shared/table.ts';
import {
  Channel,
  ChannelBack,
  ChannelFront,
  Request,
  RequestSlot,
  ResponseSlot,
  Segment,
} from './channel.ts';
import { AioPage, AioRequest } from './programs/async-backend.ts';
import { BlkbackMapOp } from './programs/blkback.ts';
import { SectorSeed } from './programs/blkfront.ts';
import { StorePage } from './programs/net-guest.ts';
import { NetbackMapOp } from './programs/netback-tx.ts';
import {
  CompletionSlot,
  Descriptor,
  Doorbell,
  Queue,
  QueueDevice,
  ReceivePage,
  ReceiveWord,
  Sector,
  Sent,
  SentSlot,
  Socket,
} from './storage.ts';
import { Task, TaskGrant, TaskPage } from './task.ts';
import { NetRequest, NetResponse, NetRing, NetRingBack, NetRingFront, NetSlot } from './vif.ts';

export const actorsTables: readonly AnyTable[] = [
  Task,
  TaskPage,
  TaskGrant,
  Channel,
  ChannelFront,
  ChannelBack,
  RequestSlot,
  ResponseSlot,
  Request,
  Segment,
  BlkbackMapOp,
  AioRequest,
  AioPage,
  SectorSeed,
  Queue,
  QueueDevice,
  Descriptor,
  ReceiveWord,
  CompletionSlot,
  Sent,
  SentSlot,
  Doorbell,
  Sector,
  ReceivePage,
  Socket,
  StorePage,
  NetbackMapOp,
  NetRing,
  NetRingFront,
  NetRingBack,
  NetRequest,
  NetResponse,
  NetSlot,
];

/** Sizes that somebody chooses; the others follow from them. */
export const actorsDefaults = {
  devices: 2,
  /** Requests of a channel that are under way at once, a power of two. */
  ringSlots: 1,
  /** Pages of a request. */
  segments: 2,
  /** Requests that an asynchronous backend has in flight at once. */
  aioRequests: 2,
  /** Packets of a ring of a network interface, a power of two. */
  netSlots: 2,
} as const;

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)));
}

/** Adds the sizes that follow from others to a configuration, and refuses contradictions. */
export function withDerivedSizes(config: Config): Config {
  const at = (key: string): number => config[key] ?? 0;
  const perDomain = at('vcpusPerDomain');
  if (at('domains') < 2) throw new ConfigError('workloads need at least 2 domains');
  if (perDomain < 3) throw new ConfigError('workloads need at least 3 vCPUs in each domain');
  if (powerOfTwo(at('ringSlots')) !== at('ringSlots')) {
    throw new ConfigError('ringSlots must be a power of two');
  }
  if (powerOfTwo(at('netSlots')) !== at('netSlots')) {
    throw new ConfigError('netSlots must be a power of two');
  }
  if (at('netbackSlots') > at('mapPages')) {
    throw new ConfigError('netbackSlots must not exceed mapPages');
  }
  if (at('segments') > at('mapPages')) throw new ConfigError('segments must not exceed mapPages');
  const channels = (at('domains') - 1) * (perDomain - 2);
  if (channels > 31) throw new ConfigError(`at most 31 frontends, not ${channels}`);
  const requests = channels * at('ringSlots');
  const queues = at('devices') * perDomain;
  const queueSlots = powerOfTwo(Math.max(2, at('aioRequests')) * at('segments'));
  return {
    ...config,
    vcpus: at('domains') * perDomain,
    ptFrames: Math.max(at('ptFrames'), 1 + at('domains') * at('tablePages')),
    channels,
    requests,
    netRings: 2 * channels,
    sectors: requests * at('segments'),
    queues,
    queueSlots,
    aioPages: at('aioRequests') * at('segments'),
    descriptors: queues * queueSlots,
    sentSlots: powerOfTwo(queues * queueSlots),
  };
}
