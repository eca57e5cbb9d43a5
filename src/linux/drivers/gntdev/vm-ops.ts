/**
 * The VMAs of gntdev, by generation: drivers/xen/gntdev.c, gntdev_vma_open() and
 * gntdev_vma_close(). A split copies a VMA and opens the copy; each VMA holds a reference of its
 * map and of the file. The classic driver has no open; the file's reference is then the split's.
 */
import type { Op } from '../../../shared/op.ts';
import { read } from '../../../shared/operations.ts';
import {
  FIND_NORMAL_PAGE,
  VMA_PAGES,
  VM_FOREIGN_ARRAY,
  design,
  designVmaOpen,
} from '../../designs/design.ts';
import { Vma } from '../../mm/vma.ts';
import { vmaCloseByVma } from './by-vma/vm-ops.ts';
import { vmaCloseClassic } from './classic/vm-ops.ts';
import { vmaCloseDraftB } from './draft-b/vm-ops.ts';
import { gntdevGetFile, gntdevPutFile } from './file.ts';
import { GrantMap, gntdevGetMap } from './grant-map.ts';
import { vmaCloseToday } from './today/vm-ops.ts';

/**
 * drivers/xen/gntdev.c: gntdev_vma_open()
 * @param v - vCPU of the task. @param vma - copy of a VMA of gntdev.
 */
export function* gntdevVmaOpen(v: number, vma: number): Op<void> {
  if (design() === VM_FOREIGN_ARRAY) {
    yield* gntdevGetFile(yield* read(Vma.file.at(vma)));
    return;
  }
  const map = yield* read(Vma.privateData.at(vma));
  yield* gntdevGetMap(map);
  yield* gntdevGetFile(yield* read(GrantMap.gntdev.at(map)));
  yield* designVmaOpen(v, vma);
}

/**
 * drivers/xen/gntdev.c: gntdev_vma_close(), and fput() of the VMA's file
 * @param v - vCPU of the task. @param vma - VMA of gntdev that goes away, already unmapped.
 */
export function* gntdevVmaClose(v: number, vma: number): Op<void> {
  if (design() === VM_FOREIGN_ARRAY) {
    yield* vmaCloseClassic(v, vma);
    return;
  }
  const map = yield* read(Vma.privateData.at(vma));
  const fd = yield* read(GrantMap.gntdev.at(map));
  switch (design()) {
    case VMA_PAGES:
      yield* vmaCloseDraftB(v, fd, vma);
      break;
    case FIND_NORMAL_PAGE:
      yield* vmaCloseToday(v, vma);
      break;
    default:
      yield* vmaCloseByVma(v, fd, vma);
      break;
  }
  yield* gntdevPutFile(v, fd);
}
