/** Numbers of ioctls (include/uapi/asm-generic/ioctl.h). */

const IOC_TYPESHIFT = 8;
const IOC_SIZESHIFT = 16;

/** `_IOC(_IOC_NONE, …)`: a letter is a driver's own. @param size - bytes of the argument. */
export function ioc(letter: string, number: number, size: number): number {
  return (size << IOC_SIZESHIFT) | (letter.charCodeAt(0) << IOC_TYPESHIFT) | number;
}
