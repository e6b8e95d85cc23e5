// The control socket: one UNIX socket an instance in the run directory, for root and its group. A
// request is one line of JSON, {"command": "status"}, and so is the reply.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { onLines } from '../net/lines.js';
import { publish } from './publish.js';
import type { Status } from './status.js';

/** `stop` is what a successor says; it ends the daemon as SIGTERM does. */
export const commands = ['status', 'demote', 'promote', 'stop'] as const;
export type Command = (typeof commands)[number];

export type Reply =
  | { readonly ok: true; readonly status: Status; readonly text?: string }
  | { readonly ok: false; readonly error: string };

/** Who answers; it comes with every reply. */
interface Daemon {
  readonly pid: number;
  /** The kernel's number of its network namespace; undefined without /proc. */
  readonly namespace?: number | undefined;
}

interface Answer {
  readonly reply: Reply;
  readonly daemon: Daemon | undefined;
}

export interface ControlSocket {
  close(): void;
}

const suffix = '.sock';
const requestLimit = 1024; // bytes
const answerTime = 2_000; // milliseconds
const connectionLimit = 32; // each costs a descriptor
/** Bytes of a UNIX socket's name. Node would cut a longer one short without a word. */
const pathLimit = 107;

export function socketPath(runDir: string, vhid: number, interfaceName: string): string {
  return join(runDir, `${vhid}@${interfaceName}${suffix}`);
}

/**
 * Rejects with a sentence when the socket cannot be made or another daemon already answers on it.
 */
export async function listen(
  path: string,
  runDir: string,
  answer: (command: Command) => Reply,
): Promise<ControlSocket> {
  // Under this name nobody finds it; it gets its own when that is free.
  const temporary = join(runDir, `.${randomBytes(4).toString('hex')}`);
  checkLength(path);
  checkLength(temporary);
  makeDirectory(runDir);
  const server = createServer((socket) => serve(socket, answer));
  server.maxConnections = connectionLimit;
  await bind(server, temporary);
  try {
    const name = await publish(temporary, path, isAlive);
    if (name === undefined) throw new Meeting(path, await lookAt(path));
    const close = (): void => {
      name.withdraw();
      server.close();
    };
    return { close };
  } catch (error) {
    server.close();
    throw error;
  }
}

async function isAlive(path: string): Promise<boolean> {
  return (await lookAt(path)) !== undefined;
}

/** What the daemon of that socket answers; undefined when there is none. */
function lookAt(path: string): Promise<Answer | undefined> {
  return talk(path, 'status').catch(mute);
}

/** Not Node's own `recursive`, which never returns for a directory below /proc. */
function makeDirectory(path: string): void {
  const isDirectory = isDirectoryNow(path);
  if (isDirectory) return;
  if (isDirectory === false) throw new Error(`${path} is not a directory`);
  if (dirname(path) !== path) makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o755 });
}

/** Undefined when there is nothing of that name, or nothing that can be looked at. */
function isDirectoryNow(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory();
  } catch {
    return undefined;
  }
}

function checkLength(path: string): void {
  if (Buffer.byteLength(path) <= pathLimit) return;
  throw new Error(`${path} is longer than the ${pathLimit} bytes that a socket's name may have`);
}

/** True of an error that says that no process listens there: what is left is a file at most. */
export function isNobody(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}

/**
 * One that is there and does not answer, stopped or stuck as it may be, is not to lose its socket.
 */
function mute(error: Error): Answer | undefined {
  if (isNobody(error)) return undefined;
  return { reply: { ok: false, error: error.message }, daemon: undefined };
}

/** Another daemon has the socket. */
export class Meeting extends Error {
  readonly pid: number | undefined;
  /** It runs on the same host and not only on the same file system, and means to go on. */
  readonly isTwin: boolean;
  readonly path: string;
  /** Undefined when it did not answer, or is only starting. */
  readonly status: Status | undefined;

  constructor(path: string, other: Answer | undefined) {
    const { reply, daemon } = other ?? {};
    const who = daemon === undefined ? ' listens' : ` (process ${daemon.pid}) already answers`;
    super(
      `Another daemon${who} on ${path}: status and demote will reach that one and not ` +
        'this one. Hosts in network namespaces share the file system; give each its own --run-dir',
    );
    this.pid = daemon?.pid;
    this.path = path;
    this.status = reply?.ok === true ? reply.status : undefined;
    const isEnding = this.status?.reason === 'shutdown';
    const { namespace } = thisDaemon();
    this.isTwin = !isEnding && namespace !== undefined && namespace === daemon?.namespace;
  }
}

function thisDaemon(): Daemon {
  const namespace = statSync('/proc/self/ns/net', { throwIfNoEntry: false })?.ino;
  return { pid: process.pid, namespace };
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // It stays: a connection that cannot be accepted is no reason to end.
    server.on('error', reject);
    // The socket must never be open to others, not even until chmod: bind happens within listen().
    const mask = process.umask(0o117);
    server.listen(path, resolve);
    process.umask(mask);
  });
}

/** One request a connection, and not much time for it. */
function serve(socket: Socket, answer: (command: Command) => Reply): void {
  const timer = setTimeout(() => socket.destroy(), answerTime);
  socket.on('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  let request = '';
  socket.setEncoding('utf8');
  const read = (text: string): void => {
    request += text;
    const end = request.indexOf('\n');
    if (end < 0 && request.length <= requestLimit) return;
    socket.off('data', read);
    socket.resume(); // what comes after it is of no interest
    const line = end < 0 ? '' : request.slice(0, end);
    socket.end(`${JSON.stringify({ ...respond(line, answer), daemon: thisDaemon() })}\n`);
  };
  socket.on('data', read);
}

function respond(line: string, answer: (command: Command) => Reply): Reply {
  const command = readCommand(line);
  if (command !== undefined) return answer(command);
  return { ok: false, error: `not a request; known commands are ${commands.join(', ')}` };
}

function readCommand(line: string): Command | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const name = (value as { command?: unknown } | null)?.command;
    return commands.find((command) => command === name);
  } catch {
    return undefined;
  }
}

/** Sends one command to the instance behind a socket. Rejects when nobody answers. */
export async function ask(path: string, command: Command): Promise<Reply> {
  return (await talk(path, command)).reply;
}

function talk(path: string, command: Command): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const fail = (how: string): unknown => socket.destroy(new Error(`${path} ${how}`));
    const timer = setTimeout(() => fail('does not answer'), answerTime);
    const hungUp = new Error(`${path} closed without an answer`);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EPIPE' || error.code === 'ECONNRESET' ? hungUp : error);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(hungUp);
    });
    onLines(socket, (line) => {
      const answer = parseAnswer(line);
      if (answer === undefined) fail('is not the socket of a tscarp: its answer makes no sense');
      else resolve(answer);
      socket.destroy();
    });
    socket.write(`${JSON.stringify({ command })}\n`);
  });
}

function parseAnswer(line: string): Answer | undefined {
  try {
    const value = JSON.parse(line) as (Reply & { readonly daemon?: Daemon }) | null;
    if (typeof value?.ok !== 'boolean') return undefined;
    const { daemon, ...reply } = value;
    return { reply, daemon };
  } catch {
    return undefined;
  }
}

/**
 * The control sockets of a run directory, in order of their names; none when there is no directory.
 */
export function listSockets(runDir: string): readonly string[] {
  try {
    const names = readdirSync(runDir).filter((name) => name.endsWith(suffix));
    return names.sort().map((name) => join(runDir, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
