/**
 * The seed's question in its sharpest form: a page of a grant mapping in a pipe. vmsplice puts the
 * page there, and it stays until somebody reads it, however long that takes and whatever becomes of
 * the address. One thread splices and reads, another unmaps.
 */
import { firstVcpuOf, frameWordCount } from '../hardware/params.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { sysPipe2 } from '../linux/fs/pipe.ts';
import { sysRead } from '../linux/fs/read-write.ts';
import { sysVmsplice } from '../linux/fs/vmsplice.ts';
import { doMunmap } from '../linux/mm/munmap.ts';
import type { Op } from '../shared/op.ts';
import { readLocal } from '../shared/operations.ts';
import { BACKEND, RaceProcess, grantPage, mapGrants } from './process.ts';
import { RaceFile, addressOf, iovecOf, startProcessWithFiles } from './process-files.ts';
import type { Race } from './race.ts';

const VPN = 2;
const MEMORY = 5;

function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* startProcessWithFiles(2, MEMORY);
  yield* grantPage(0);
  yield* mapGrants(v, 0, 1, VPN);
  yield* sysPipe2(v, RaceFile.reader.word, 0);
}

function* splicer(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const iov = iovecOf(addressOf(VPN), frameWordCount());
  if ((yield* sysVmsplice(v, readLocal(RaceFile.writer.word), iov, 1, 0)) <= 0) return;
  yield* sysRead(v, readLocal(RaceFile.reader.word), addressOf(MEMORY), frameWordCount());
}

function* unmapper(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  yield* doMunmap(v, readLocal(RaceProcess.mm.word), VPN, 1);
}

export const vmspliceAndUnmap: Race = {
  name: 'vmsplice-and-unmap',
  about: 'A page of a grant mapping lies in a pipe while its address is unmapped.',
  sources: [
    'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
    'Linux, fs/splice.c: vmsplice_to_pipe()',
  ],
  designs: EVERY_DESIGN,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'vmsplice', vcpu: 0, body: splicer },
    { role: 'unmap', vcpu: 1, body: unmapper },
  ],
  kernelThreads: [],
};
