// A client that asks an address every few milliseconds, through the kernel's own ARP, until it is
// killed. Whether it was answered is read from a capture. ping(8) would spin at such a rate.
// Usage: client.js ADDRESS MILLISECONDS

import { performance } from 'node:perf_hooks';
import {
  AF_INET,
  connectSocket,
  openSocket,
  SOCK_RAW,
  sendBytes,
} from '../../src/net/linux/libc.js';
import { Structure } from '../../src/net/linux/structures.js';
import { parseIpv4 } from '../../src/protocol/address.js';
import { Writer } from '../../src/protocol/bytes.js';
import { internetChecksum } from '../../src/protocol/checksum.js';

const icmp = 1;
const echoRequest = 8;

const [address = '', interval = ''] = process.argv.slice(2);
const destination = parseIpv4(address);
if (destination === undefined) throw new RangeError(`"${address}" is not an address.`);
const doing = `Cannot ask ${address}`;
const socket = openSocket(AF_INET, SOCK_RAW, icmp, doing);
connectSocket(socket, new Structure(16).u16(0, AF_INET).net32(4, destination).bytes, doing);

const start = performance.now();
let asked = 0;
process.stdout.write('asking\n');
setInterval(() => {
  // Catches up when the timer was late, so that there are always as many questions.
  while (start + asked * Number(interval) <= performance.now()) {
    asked += 1;
    ask(asked);
  }
}, Number(interval));

function ask(number: number): void {
  const write = (checksum: number): Uint8Array =>
    new Writer(16).u8(echoRequest).u8(0).u16(checksum).u32(number).raw(new Uint8Array(8)).bytes;
  try {
    sendBytes(socket, write(internetChecksum(write(0))), doing);
  } catch {
    // Nobody has the address at the moment; that is what is being measured.
  }
}
