// The library's face: codecs and machines, all pure.

export * from './protocol/address.js';
export * from './protocol/arp.js';
export * from './protocol/carp/advertisement.js';
export * from './protocol/carp/digest.js';
export * as carp from './protocol/carp/machine.js';
export { receive } from './protocol/carp/receive.js';
export * from './protocol/checksum.js';
export * from './protocol/ethernet.js';
export * from './protocol/ipv4.js';
export * from './protocol/parsed.js';
export * from './protocol/units.js';
export * from './protocol/virtual-router.js';
