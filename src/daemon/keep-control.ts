// Keeps the control socket of a daemon open. While another daemon is in the way it is tried for
// again and again: a predecessor may still be busy with its down script.

import { setTimeout as delay } from 'node:timers/promises';
import { ask, type Command, type ControlSocket, listen, Meeting, type Reply } from './control.js';
import type { Logger } from './log.js';

const retryMs = 5_000;
const lookEveryMs = 50;

export interface Keeper {
  /** Resolves after the first try, with what kept it from succeeding. */
  readonly tried: Promise<Error | undefined>;
  /** Asks the daemon that is in the way to end, and waits for that; false when it does not. */
  replace(meeting: Meeting, patienceMs: number): Promise<boolean>;
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
      return error as Error;
    }
  };
  const wait = (): void => {
    if (!closed && socket === undefined) timer = setTimeout(() => void again(), retryMs);
  };
  const again = async (): Promise<void> => {
    if ((await attempt()) === undefined) logger.log('info', 'The control socket is there now');
    wait();
  };
  const tried = attempt();
  void tried.then(wait);
  return {
    tried,
    replace: async ({ path }, patienceMs) => {
      clearTimeout(timer);
      const { ok } = await ask(path, 'stop').catch(() => ({ ok: false }));
      for (let waited = 0; ok && waited < patienceMs; waited += lookEveryMs) {
        const problem = await attempt();
        if (problem === undefined) return true;
        if (!(problem instanceof Meeting)) break;
        await delay(lookEveryMs);
      }
      wait();
      return false;
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}
