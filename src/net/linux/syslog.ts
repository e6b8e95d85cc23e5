// The local syslog socket, written without ever waiting: a syslog daemon that hangs must not hang
// us.

import { AF_UNIX, closeSocket, connectSocket, openSocket, SOCK_DGRAM, sendBytes } from './libc.js';
import { Structure } from './structures.js';

const standardPath = '/dev/log';
const facilities: readonly string[] = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
];
const firstLocal = 16;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export const severities = { error: 3, warning: 4, info: 6, debug: 7 } as const;
export type Severity = keyof typeof severities;

export interface Syslog {
  /** Sends one line; a line that cannot be sent now is lost and counted. */
  write(severity: Severity, text: string): void;
  readonly lost: number;
}

/** `tag` is what log readers know us by, with the process id: `ucarp[4711]`. */
export function openSyslog(tag: string, facility: string, path: string = standardPath): Syslog {
  let fd: number | undefined;
  let lost = 0;
  const send = (line: Uint8Array): boolean => {
    try {
      fd ??= connectTo(path);
      sendBytes(fd, line, 'syslog');
      return true;
    } catch {
      // Not running, restarted or overrun: connect anew with the next line.
      if (fd !== undefined) closeSocket(fd);
      fd = undefined;
      return false;
    }
  };
  return {
    write: (severity, text) => {
      const priority = facilityNumber(facility) * 8 + severities[severity];
      const line = `<${priority}>${timestamp(new Date())} ${tag}[${process.pid}]: ${text}`;
      const bytes = new TextEncoder().encode(line);
      if (!send(bytes) && !send(bytes)) lost += 1;
    },
    get lost() {
      return lost;
    },
  };
}

function connectTo(path: string): number {
  const fd = openSocket(AF_UNIX, SOCK_DGRAM, 0, 'syslog');
  try {
    connectSocket(fd, new Structure(110).u16(0, AF_UNIX).text(2, path).bytes, 'syslog');
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
  return fd;
}

/** Numbers of syslog(3); an unknown name logs as `daemon`. */
function facilityNumber(name: string): number {
  const local = /^local([0-7])$/.exec(name);
  if (local !== null) return firstLocal + Number(local[1]);
  const number = facilities.indexOf(name === 'security' ? 'auth' : name);
  return number < 0 ? facilities.indexOf('daemon') : number;
}

/** RFC 3164's form in local time, as every syslog daemon reads it. */
function timestamp(at: Date): string {
  const day = String(at.getDate()).padStart(2, ' ');
  return `${months[at.getMonth()]} ${day} ${at.toTimeString().slice(0, 8)}`;
}
