/** The little of WebAssembly's interface that is needed here; no DOM types in this project. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: boolean });
    /** Shared if the memory is: on threads always. */
    readonly buffer: SharedArrayBuffer;
  }
  // oxlint-disable-next-line typescript/no-extraneous-class
  class Module {
    constructor(bytes: Uint8Array);
  }
  type Import = Memory | ((a: number, b: number) => void);
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, Import>>);
    readonly exports: Record<string, unknown>;
  }
  class Global {
    readonly value: number;
  }
}
