// What a native package refused, as a NetError. They hand on the text of the failure and not its
// number.

import { NetError, type NetErrorCode } from '../errors.js';
import { readInterface } from './interfaces.js';

const texts: readonly (readonly [RegExp, NetErrorCode])[] = [
  [/no such device/i, 'no-such-device'],
  [/network is (down|unreachable)/i, 'link-down'],
  [/not permitted|permission/i, 'not-permitted'],
];

export function nativeRefusal(doing: string, device: string, cause: unknown): NetError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = texts.find(([pattern]) => pattern.test(reason))?.[1] ?? codeFromFacts(device);
  const hint = code === 'not-permitted' ? ' (needs root or the capability CAP_NET_RAW)' : '';
  return new NetError(code, `${doing}: ${reason}${hint}`, cause);
}

function codeFromFacts(device: string): NetErrorCode {
  const facts = readInterface(device);
  if (facts === undefined) return 'no-such-device';
  return facts.up ? 'failed' : 'link-down';
}
