/** Numbers of the assertions (warnOn) of devices: what each means, and its operands. From 0x180. */

/** A device or a guest read payload that its sender did not write: a = sector, b = what it saw. */
export const BUG_PAYLOAD = 0x180;
/** A request failed although nothing was wrong with it: a = request, b = status. */
export const BUG_REQUEST_FAILED = 0x181;
/** A backend gave a page back and has it in use still: a = ring, b = grant. */
export const BUG_BUFFER_IN_USE = 0x182;
