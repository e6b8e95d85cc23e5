// A start that failed, in the words and with the exit status that callers of each name expect.

import { NetError } from '../net/errors.js';
import { formatIpv4 } from '../protocol/address.js';
import type { Config } from './config.js';

export interface StartFailure {
  readonly status: number;
  /** For the log. */
  readonly lines: readonly string[];
}

const ucarpStatus = 2; // ucarp 1.5.2 for everything that fails after its options were read
const tscarpStatus = 1; // 2 is for bad command lines, which no restart will cure

export function startFailureStatus({ personality }: Config): number {
  return personality === 'tscarp' ? tscarpStatus : ucarpStatus;
}

export function describeFailure(error: unknown, config: Config): StartFailure {
  const message = error instanceof Error ? error.message : String(error);
  const status = startFailureStatus(config);
  if (config.personality === 'tscarp') return { status, lines: [message] };
  const code = error instanceof NetError ? error.code : 'failed';
  const ucarp = code === 'address-refused' && config.source === 'auto' ? [] : wording(code, config);
  return { status, lines: ucarp.length > 0 ? ucarp : [message] };
}

/** What ucarp says of the same failure, byte for byte; empty where it knows no such failure. */
function wording(code: NetError['code'], config: Config): readonly string[] {
  const { interface: name } = config;
  const noMac = `Unable to find MAC address of [${name}]`;
  switch (code) {
    case 'no-such-device':
      return ['Unable to get hardware info about an interface: No such device', noMac];
    case 'link-down':
      return [`Unable to open interface [${name}]: ${name}: That device is not up`];
    case 'not-permitted':
      return ['Unable to open raw device: [Operation not permitted]', noMac];
    case 'address-refused':
      return ["Can't do IP_ADD_MEMBERSHIP errno=No such device (19)"];
    default:
      return [];
  }
}

/** For the log when all is well. */
export function describeStart(config: Config, interfaceName: string): string {
  const address = formatIpv4(config.address);
  return `vhid ${config.vhid} for ${address} on ${interfaceName}, backend ${config.backend}`;
}
