// The control socket: one UNIX socket an instance in the run directory, for root and its group. A request
// is one line of JSON, {"command": "status"}, and so is the reply.

import { chmodSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { onLines } from '../net/lines.js';
import type { Status } from './status.js';

export const commands = ['status', 'demote', 'promote'] as const;
export type Command = (typeof commands)[number];

export type Reply =
  | { readonly ok: true; readonly status: Status; readonly text?: string }
  | { readonly ok: false; readonly error: string };

export interface ControlSocket {
  close(): void;
}

const suffix = '.sock';
const requestLimit = 1024; // bytes
const answerTime = 2_000; // milliseconds

export function socketPath(runDir: string, vhid: number, interfaceName: string): string {
  return join(runDir, `${vhid}@${interfaceName}${suffix}`);
}

/** Rejects with a sentence when the socket cannot be made or another daemon already answers on it. */
export async function listen(
  path: string,
  runDir: string,
  answer: (command: Command) => Reply,
): Promise<ControlSocket> {
  mkdirSync(runDir, { recursive: true, mode: 0o755 });
  const other = await ask(path, 'status').catch(() => undefined);
  if (other !== undefined) throw new Error(meeting(path, other));
  removeStale(path);
  const server = createServer((socket) => serve(socket, answer));
  await bind(server, path);
  return { close: () => server.close() };
}

function meeting(path: string, other: Reply): string {
  const pid = other.ok ? ` (process ${other.status.pid})` : '';
  return (
    `Another daemon${pid} already answers on ${path}: status and demote will reach that one and not ` +
    'this one. Hosts in network namespaces share the file system; give each its own --run-dir'
  );
}

function removeStale(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The socket must never be open to others, not even until chmod: bind happens within listen().
    const mask = process.umask(0o117);
    server.listen(path, () => {
      chmodSync(path, 0o660);
      resolve();
    });
    process.umask(mask);
  });
}

function serve(socket: Socket, answer: (command: Command) => Reply): void {
  socket.setTimeout(answerTime, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  let request = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    request += text;
    if (request.includes('\n')) socket.end(`${JSON.stringify(respond(request, answer))}\n`);
    else if (request.length > requestLimit) socket.destroy();
  });
}

function respond(request: string, answer: (command: Command) => Reply): Reply {
  const command = readCommand(request);
  if (command !== undefined) return answer(command);
  return { ok: false, error: `not a request; known commands are ${commands.join(', ')}` };
}

function readCommand(request: string): Command | undefined {
  try {
    const value: unknown = JSON.parse(request.slice(0, request.indexOf('\n')));
    const name = (value as { command?: unknown } | null)?.command;
    return commands.find((command) => command === name);
  } catch {
    return undefined;
  }
}

/** Sends one command to the instance behind a socket. Rejects when nobody answers. */
export function ask(path: string, command: Command): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.setTimeout(answerTime, () => socket.destroy(new Error(`${path} does not answer`)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${path} closed without an answer`)));
    onLines(socket, (line) => {
      resolve(JSON.parse(line) as Reply);
      socket.destroy();
    });
    socket.write(`${JSON.stringify({ command })}\n`);
  });
}

/** The control sockets of a run directory, in order of their names; none when there is no directory. */
export function listSockets(runDir: string): readonly string[] {
  try {
    const names = readdirSync(runDir).filter((name) => name.endsWith(suffix));
    return names.sort().map((name) => join(runDir, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
