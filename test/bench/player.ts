// Puts prepared frames on the wire at prepared times; runs in a host of the network. What is
// measured is read from a capture, so it does not matter that a timer rings a little late.
// Usage: player.js DEVICE FILE, the file being JSON: [{ "at": milliseconds, "frame": hex }, ...]

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AF_PACKET,
  bindSocket,
  openSocket,
  SOCK_RAW,
  sendBytes,
} from '../../src/net/linux/libc.js';
import { linkLayerAddress } from '../../src/net/linux/packet-socket.js';

const [device = '', file = ''] = process.argv.slice(2);
const score = JSON.parse(readFileSync(file, 'utf8')) as readonly { at: number; frame: string }[];
const index = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
const doing = `Cannot play on ${device}`;
const socket = openSocket(AF_PACKET, SOCK_RAW, 0, doing);
bindSocket(socket, linkLayerAddress(index, 0), doing);

const frames = score.map(({ at, frame }) => ({ at, bytes: Buffer.from(frame, 'hex') }));
const start = performance.now();
for (const { at, bytes } of frames) {
  const wait = start + at - performance.now();
  if (wait > 0) await delay(wait);
  sendBytes(socket, bytes, doing);
}
