// What a CARP host remembers over its changes of state: the counter, how well sending goes, and
// addresses that could not be given up.

import type { Instant } from '../units.js';

export interface Memory {
  /** The counter of the last authentic or own advertisement; undefined until somebody was heard. */
  readonly counter: bigint | undefined;
  /** In a row. */
  readonly sendFailures: number;
  /** In a row, counted while suppressed. */
  readonly sendSuccesses: number;
  /** After three failures in a row we advertise as the worst of masters (ucarp, BSD). */
  readonly suppressed: boolean;
  /** When to try again to give the addresses up; undefined unless that has failed. */
  readonly releaseAgainAt: Instant | undefined;
}

const failuresToSuppress = 3;
const successesToRecover = 3;
const counterLimit = 2n ** 64n;

export const blankMemory: Memory = {
  counter: undefined,
  sendFailures: 0,
  sendSuccesses: 0,
  suppressed: false,
  releaseAgainAt: undefined,
};

/**
 * Until somebody was heard every advertisement carries a fresh random counter (undefined here);
 * afterwards it goes on from the last one heard or sent, by one (ucarp, FreeBSD, NetBSD).
 */
export function nextCounter({ counter }: Memory): bigint | undefined {
  return counter === undefined ? undefined : (counter + 1n) % counterLimit;
}

export function noteSuccess(memory: Memory): Memory {
  if (!memory.suppressed) return { ...memory, sendFailures: 0 };
  const sendSuccesses = memory.sendSuccesses + 1;
  return sendSuccesses < successesToRecover
    ? { ...memory, sendFailures: 0, sendSuccesses }
    : forgetFailures(memory);
}

/** The third failure in a row suppresses a master, which alone sends often enough to recover. */
export function noteFailure(memory: Memory, isMaster: boolean): Memory {
  const sendFailures = memory.sendFailures + 1;
  const suppressed = memory.suppressed || (isMaster && sendFailures >= failuresToSuppress);
  return { ...memory, sendFailures, sendSuccesses: 0, suppressed };
}

/** What the old link refused says nothing of the new one, and a backup sends nothing as proof. */
export function forgetFailures(memory: Memory): Memory {
  return { ...memory, sendFailures: 0, sendSuccesses: 0, suppressed: false };
}
