// What is used of the optional packages. cap has no types, those of raw-socket lack half of this,
// and neither need be installed where the sources are compiled.

declare module 'cap' {
  import type { EventEmitter } from 'node:events';

  namespace cap {
    class Cap extends EventEmitter {
      /** Answers the name of the link layer, such as `ETHERNET`. */
      open(device: string, filter: string, bufferSize: number, buffer: Buffer): string;
      send(frame: Buffer, length: number): void;
      close(): boolean;
      on(event: 'packet', listener: (length: number, truncated: boolean) => void): this;
    }
  }
  export = cap;
}

declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events';

  namespace raw {
    /** Undocumented: the native socket, which sends at once where the other one queues. */
    interface Wrap {
      send(
        packet: Buffer,
        offset: number,
        length: number,
        address: string,
        sent: (count: number) => void,
      ): void;
      recv(
        buffer: Buffer,
        received: (buffer: Buffer, length: number, source: string) => void,
      ): void;
    }

    interface Socket extends EventEmitter {
      readonly wrap: Wrap;
      setOption(level: number, option: number, value: Buffer, length: number): void;
      close(): void;
      on(event: 'message', listener: (packet: Buffer, source: string) => void): this;
      /** Without an error when the socket cannot be polled any more; it is closed then. */
      on(event: 'error', listener: (error: Error | undefined) => void): this;
      on(event: 'close', listener: () => void): this;
    }

    function createSocket(options: {
      readonly protocol: number;
      readonly bufferSize: number;
    }): Socket;
  }
  export = raw;
}
