// Getting and giving up the virtual address: by adding and removing it, by up and down scripts, or
// both. Addresses and scripts each go one after the other, and what was asked for and not begun
// when something else is asked for is left out. A script never keeps an address from being removed,
// however long it runs, or two hosts would hold it.

import type { Addresses, AssignedAddress, Hooks, ManagedAddress } from '../net/ports.js';
import { formatCidr } from '../protocol/address.js';
import type { Action } from '../protocol/carp/state.js';
import type { Config } from './config.js';
import { Latest } from './latest.js';
import type { Logger } from './log.js';

export interface Holding {
  /**
   * Resolves when address and script are done, or something else was asked for; rejects with a
   * NetError when the address was not had.
   */
  claim(): Promise<void>;
  /**
   * The address goes first: with our goodbye a peer has it already. Rejects with a NetError when it
   * stays.
   */
  release(occasion: Occasion): Promise<void>;
  /** Resolves when everything asked for so far is done. */
  idle(): Promise<void>;
}

export type Occasion = Extract<Action, { type: 'release' }>['occasion'];

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
  const { config, managed, addresses, logger } = options;
  const forAddresses = new Latest();
  const forScripts = new Latest();
  return {
    claim: async () => {
      const added = forAddresses.do(async () => {
        if (managed !== undefined) await addresses.add(managed);
      });
      const ran = forScripts.do(async () => {
        if (await succeeded(added)) await runHook(options, config.upscript, 'master');
      });
      await Promise.all([added, ran]);
    },
    release: async (occasion) => {
      const removed = forAddresses.do(async () => {
        if (managed === undefined) return;
        const gone = await addresses.remove(managed);
        if (occasion === 'start') logLeftovers(gone, logger);
      });
      if (occasion === 'again' || (occasion === 'start' && config.neutral)) {
        await removed;
        return;
      }
      const ran = forScripts.do(async () => {
        await succeeded(removed);
        await runHook(options, config.downscript, 'backup');
      });
      await Promise.all([removed, ran]);
    },
    idle: async () => {
      await Promise.all([forAddresses.idle(), forScripts.idle()]);
    },
  };
}

/** An operator who meant another address learns here what became of this one. */
function logLeftovers(gone: readonly AssignedAddress[], logger: Logger): void {
  for (const { device, cidr } of gone) {
    const text = `Removed ${formatCidr(cidr)} from ${device}: only a master has it`;
    logger.log('warning', text);
  }
}

/** Whether it was done: not failed, and not left out. */
function succeeded(work: Promise<boolean>): Promise<boolean> {
  return work.catch(() => false);
}

/**
 * argv is ucarp's: interface and address as given, and the extra parameter only if there is one.
 */
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
