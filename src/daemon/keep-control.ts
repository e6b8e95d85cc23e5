// Keeps the control socket of a daemon open. While another daemon is in the way it is tried for
// again and again: a predecessor may still be busy with its down script.

import { type Command, type ControlSocket, listen, type Reply } from './control.js';
import type { Logger } from './log.js';

const retryMs = 5_000;

export interface Keeper {
  /** Resolves after the first try, with what kept it from succeeding. */
  readonly tried: Promise<Error | undefined>;
  close(): void;
}

export interface KeepOptions {
  readonly path: string;
  readonly runDir: string;
  readonly logger: Logger;
  answer(command: Command): Reply;
}

export function keepControl({ path, runDir, logger, answer }: KeepOptions): Keeper {
  let socket: ControlSocket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const attempt = async (): Promise<Error | undefined> => {
    try {
      socket = await listen(path, runDir, answer);
      if (closed) socket.close();
      return undefined;
    } catch (error) {
      if (!closed) timer = setTimeout(() => void again(), retryMs);
      return error as Error;
    }
  };
  const again = async (): Promise<void> => {
    if ((await attempt()) === undefined) logger.log('info', 'The control socket is there now');
  };
  return {
    tried: attempt(),
    close: () => {
      closed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}
