// Gratuitous ARP (RFC 826, RFC 5227 §3): tells every host and switch on the segment which Ethernet
// address answers for an IPv4 address now.
//
//   htype 1 | ptype 0800 | 6 | 4 | op 1 | sender MAC | sender IP | target MAC | target IP

import { broadcastMac, type Ipv4, type Mac } from './address.js';
import { Writer } from './bytes.js';
import { etherType, serializeEthernet } from './ethernet.js';

const request = 1;

/**
 * The frame that ucarp broadcasts, 42 bytes: a request in which sender and target are the same, the
 * hardware address included (the BSDs put zeros there, keepalived all ones; receivers ignore it).
 */
export function gratuitousArp(address: Ipv4, mac: Mac): Uint8Array {
  const payload = new Writer(28)
    .u16(1)
    .u16(etherType.ipv4)
    .u8(6)
    .u8(4)
    .u16(request)
    .mac(mac)
    .u32(address)
    .mac(mac)
    .u32(address).bytes;
  return serializeEthernet({
    destination: broadcastMac,
    source: mac,
    type: etherType.arp,
    payload,
  });
}
