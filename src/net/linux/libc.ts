// The few calls of libc that Node does not offer, through koffi. Numbers are Linux's, the same on
// every architecture that Node runs on; structures are koffi's, so that byte order and alignment
// are right.

import koffi from 'koffi';
import { NetError, type NetErrorCode } from '../errors.js';

const libc = koffi.load(null);

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;

/** Bytes in C's `long`, of which the kernel's older structures are made. */
export const longSize: number = koffi.sizeof('long');

const socketCall = libc.func('int socket(int domain, int type, int protocol)');
const closeCall = libc.func('int close(int fd)');
const sendCall = libc.func('long send(int fd, const uint8_t *bytes, size_t length, int flags)');
const recvCall = libc.func('long recv(int fd, uint8_t *bytes, size_t length, int flags)');
const ioctlCall = libc.func('int ioctl(int fd, unsigned long request, ...)');
const setsockoptCall = libc.func(
  'int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)',
);
const bindCall = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)');
const connectCall = libc.func('int connect(int fd, const uint8_t *address, uint32_t length)');
const getsocknameCall = libc.func('int getsockname(int fd, uint8_t *address, uint32_t *length)');
const strerrorCall = libc.func('const char *strerror(int number)');

const filterProgram = koffi.struct({ length: 'uint16_t', instructions: 'const uint8_t *' });
const attachFilterCall = libc.func('setsockopt', 'int', [
  'int',
  'int',
  'int',
  koffi.pointer(filterProgram),
  'uint32_t',
]);

const errno = koffi.os.errno;
const codes: ReadonlyMap<number | undefined, NetErrorCode> = new Map([
  [errno['EPERM'], 'not-permitted'],
  [errno['EACCES'], 'not-permitted'],
  [errno['ENODEV'], 'no-such-device'],
  [errno['ENXIO'], 'no-such-device'],
  [errno['ENETDOWN'], 'link-down'],
  [errno['ENETUNREACH'], 'link-down'],
  [errno['EADDRNOTAVAIL'], 'address-refused'],
]);

/** The failure of the call just made, as an error that says what was being done. */
export function lastError(doing: string): NetError {
  const number = koffi.errno();
  const code = codes.get(number) ?? 'failed';
  const hint = code === 'not-permitted' ? ' (needs root or the capability CAP_NET_RAW)' : '';
  return new NetError(code, `${doing}: ${strerrorCall(number)}${hint}`);
}

/** True when the call just made had nothing to do at the moment. */
export function wouldBlock(): boolean {
  const number = koffi.errno();
  return number === errno['EAGAIN'] || number === errno['EINTR'];
}

/** A socket that never blocks and that child processes do not inherit. */
export function openSocket(domain: number, type: number, protocol: number, doing: string): number {
  const fd: number = socketCall(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) throw lastError(doing);
  return fd;
}

export function closeSocket(fd: number): void {
  closeCall(fd);
}

export function setSocketOption(
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
  doing: string,
): void {
  if (setsockoptCall(fd, level, name, value, value.length) < 0) throw lastError(doing);
}

export function bindSocket(fd: number, address: Uint8Array, doing: string): void {
  if (bindCall(fd, address, address.length) < 0) throw lastError(doing);
}

/**
 * The address that the socket is bound to now, at most `size` bytes of it; undefined on failure.
 */
export function socketAddress(fd: number, size: number): Uint8Array | undefined {
  const address = new Uint8Array(size);
  const answered = getsocknameCall(fd, address, new Uint32Array([size])) === 0;
  return answered ? address : undefined;
}

export function connectSocket(fd: number, address: Uint8Array, doing: string): void {
  if (connectCall(fd, address, address.length) < 0) throw lastError(doing);
}

export function sendBytes(fd: number, bytes: Uint8Array, doing: string): void {
  if (sendCall(fd, bytes, bytes.length, MSG_DONTWAIT) < 0) throw lastError(doing);
}

/** Fills the buffer and answers how many bytes it got; negative when the call failed. */
export function receiveBytes(fd: number, buffer: Uint8Array): number {
  return Number(recvCall(fd, buffer, buffer.length, MSG_DONTWAIT));
}

/** An ioctl on a structure that the kernel reads and fills; false when it fails. */
export function control(fd: number, request: number, structure: Uint8Array): boolean {
  return ioctlCall(fd, request, 'uint8_t *', structure) >= 0;
}

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** Classic BPF instructions as the kernel has them: eight bytes each. */
export function attachFilter(fd: number, instructions: Uint8Array, doing: string): void {
  const program = { length: instructions.length / 8, instructions };
  const size = koffi.sizeof(filterProgram);
  if (attachFilterCall(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, size) < 0) throw lastError(doing);
}

/**
 * Calls back when the socket is readable, or with an error status after which it must be restarted.
 */
export interface Poll {
  restart(): void;
  stop(): void;
}

type PollCallback = (status: number) => void;
interface PollHandle {
  start(options: { readable: boolean }, callback: PollCallback): void;
  close(): void;
}

// The handle closes itself when it is collected, so every one in use is kept here.
const polls = new Set<PollHandle>();

/**
 * Calls back for native code, which swallows what a callback throws: it is thrown again outside of
 * it.
 */
export function shielded<A extends readonly unknown[]>(
  callback: (...args: A) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

/**
 * koffi's poll, whose documentation is its source: the callback gets (status, events), although the
 * type declares events alone.
 */
export function pollSocket(fd: number, readable: (status: number) => void): Poll {
  const callback: PollCallback = shielded(readable);
  const start = koffi.node.poll as unknown as (
    fd: number,
    options: { readable: boolean },
    callback: PollCallback,
  ) => PollHandle;
  const handle = start(fd, { readable: true }, callback);
  polls.add(handle);
  return {
    restart: () => {
      if (polls.has(handle)) handle.start({ readable: true }, callback);
    },
    stop: () => {
      if (polls.delete(handle)) handle.close();
    },
  };
}
