// Getting and giving up the virtual address: by adding and removing it, by up and down scripts, or both.
// Whatever is asked for is done in order, one after the other, and never while somebody waits for it.

import type { Addresses, Hooks, ManagedAddress } from '../net/ports.js';
import type { Config } from './config.js';
import type { Logger } from './log.js';

export interface Holding {
  /** Rejects with a NetError when the address could not be had. */
  claim(): Promise<void>;
  release(atStart: boolean): Promise<void>;
  /** Resolves when everything asked for so far is done. */
  idle(): Promise<void>;
}

export interface HoldingOptions {
  /** As scripts get it: as given, or as chosen for `auto`. */
  readonly interfaceName: string;
  readonly config: Config;
  /** Undefined when the address is the scripts' business alone. */
  readonly managed: ManagedAddress | undefined;
  readonly addresses: Addresses;
  readonly hooks: Hooks;
  readonly logger: Logger;
}

export function createHolding(options: HoldingOptions): Holding {
  const { config, managed, addresses } = options;
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    claim: () =>
      inOrder(async () => {
        if (managed !== undefined) await addresses.add(managed);
        await runHook(options, config.upscript, 'master');
      }),
    release: (atStart) =>
      inOrder(async () => {
        if (!(atStart && config.neutral)) await runHook(options, config.downscript, 'backup');
        if (managed !== undefined) await addresses.remove(managed);
      }),
    idle: async () => {
      await last;
    },
  };
}

/** argv is ucarp's: interface and address as given, and the extra parameter only if there is one. */
async function runHook(
  { config, interfaceName, hooks, logger }: HoldingOptions,
  path: string | undefined,
  state: 'master' | 'backup',
): Promise<void> {
  if (path === undefined) return;
  const extra = config.xparam === undefined ? [] : [config.xparam];
  const args = [interfaceName, config.addressText, ...extra];
  const words = [path, ...args].join(' ');
  logger.log('warning', `Spawning [${words}]`);
  const env = { TSCARP_STATE: state, TSCARP_VHID: String(config.vhid) };
  const { status, problem, milliseconds } = await hooks.run({ path, args, env });
  const duration = Math.round(milliseconds);
  if (problem === undefined) logger.log('debug', `${path} ended after ${duration} ms`);
  else if (status === undefined) logger.log('error', `Unable to exec ${words}: ${problem}`);
  else logger.log('info', `${path} ended after ${duration} ms with ${problem}, which is ignored`);
}
