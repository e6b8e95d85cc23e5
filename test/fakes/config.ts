// What a daemon of these tests is asked to do, but for what a test asks otherwise.

import type { Config } from '../../src/daemon/config.js';
import type { Ipv4 } from '../../src/protocol/address.js';

export const ownAddress = 0x0a000001 as Ipv4; // 10.0.0.1

export function testConfig(overrides: Partial<Config> = {}): Config {
  return {
    personality: 'tscarp',
    interface: 'eth1',
    source: ownAddress,
    group: 0xe0000012 as Ipv4, // 224.0.0.18
    broadcast: false,
    vhid: 1,
    password: new TextEncoder().encode('love'),
    address: 0x0a00000a as Ipv4, // 10.0.0.10
    addressText: '10.0.0.10',
    prefixLength: 24,
    advbase: 1,
    advskew: 0,
    deadRatio: 3,
    preempt: false,
    neutral: false,
    upscript: undefined,
    downscript: undefined,
    xparam: undefined,
    shutdown: false,
    daemonize: false,
    ignoreLinkState: false,
    facility: undefined,
    debug: false,
    pidfile: undefined,
    manageAddress: false,
    garpRepeat: [],
    logFormat: 'text',
    backend: 'packet',
    realMac: false,
    runDir: '/nowhere/run',
    stateDir: '/nowhere/state',
    ...overrides,
  };
}
