// The control socket, with real sockets in a folder of its own.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ask,
  type Command,
  type ControlSocket,
  isNobody,
  listen,
  listSockets,
  type Reply,
  socketPath,
} from '../../src/daemon/control.js';
import type { Status } from '../../src/daemon/status.js';

let runDir = '';
let path = '';
let sockets: { close(): void }[] = [];
let asked: Command[] = [];

beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), 'tscarp-control-'));
  path = socketPath(runDir, 1, 'eth1:0');
  sockets = [];
  asked = [];
});
afterEach(() => {
  for (const socket of sockets) socket.close();
  rmSync(runDir, { recursive: true, force: true });
});

const status = { vhid: 1, interface: 'eth1:0', pid: 4711 } as Status;

async function open(at = path): Promise<ControlSocket> {
  const socket = await listen(at, runDir, (command) => {
    asked.push(command);
    return { ok: true, status };
  });
  sockets.push(socket);
  return socket;
}

/** What is left when a process that listened was killed. */
async function leaveSocketBehind(): Promise<void> {
  const elsewhere = join(runDir, 'elsewhere');
  const server = await serve(elsewhere, () => undefined);
  symlinkSync(elsewhere, path);
  await new Promise((resolve) => server.close(resolve));
}

function serve(at: string, onText: (text: string) => string | undefined): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (data: string) => {
      const answer = onText(data);
      if (answer !== undefined) socket.write(answer);
    });
    open.push(socket);
  });
  const open: { destroy(): unknown }[] = [];
  sockets.push({
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  });
  return new Promise((resolve) => {
    server.listen(at, () => resolve(server));
  });
}

/** Everything that is answered to some text, until the other side closes. */
async function say(words: string): Promise<string> {
  const socket = createConnection(path);
  socket.write(words);
  return text(socket);
}

describe('a socket', () => {
  test('is for owner and group alone', async () => {
    const mask = process.umask(0);
    await open();
    expect(statSync(path).mode & 0o7777).toBe(0o660);
    expect(statSync(path).isSocket()).toBe(true);
    expect(process.umask(mask)).toBe(0);
  });

  test('is named for vhid and interface, and gone after close', async () => {
    const socket = await open();
    expect(readdirSync(runDir)).toEqual(['1@eth1:0.sock']);
    socket.close();
    expect(readdirSync(runDir)).toEqual([]);
  });

  test('makes its directory', async () => {
    const nested = join(runDir, 'a/b');
    await listen(socketPath(nested, 1, 'eth1'), nested, () => ({ ok: true, status })).then(
      (socket) => sockets.push(socket),
    );
    expect(statSync(nested).mode & 0o777).toBe(0o755);
  });

  test('whose directory cannot be made is refused', async () => {
    const file = join(runDir, 'file');
    writeFileSync(file, '');
    const inFile = join(file, 'sub');
    await expect(listen(join(inFile, 'x.sock'), inFile, () => ({ ok: true, status })))
      .rejects //
      .toThrow(`${file} is not a directory`);
  });

  test('in a place where nothing can be made is refused', async () => {
    const there = '/proc/tscarp/run';
    const answer = (): Reply => ({ ok: true, status });
    await expect(listen(join(there, 'x.sock'), there, answer)).rejects.toThrow(/ENOENT/);
  });

  test('whose name is too long for the kernel is refused, and not cut short', async () => {
    const long = join(runDir, 'x'.repeat(120));
    const name = socketPath(long, 1, 'eth1');
    await expect(listen(name, long, () => ({ ok: true, status }))).rejects.toThrow(/107 bytes/);
    expect(existsSync(long)).toBe(false);
  });

  test('that was left behind is replaced', async () => {
    await leaveSocketBehind();
    await open();
    expect(await ask(path, 'status')).toEqual({ ok: true, status });
  });

  test.each([false, true])(
    'is that of one of several daemons that start at once, after a crash: %s',
    async (afterCrash) => {
      for (let round = 0; round < 20; round += 1) {
        if (afterCrash) await leaveSocketBehind();
        const tries = await Promise.allSettled([open(), open(), open(), open()]);
        const problems = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
        expect(problems).toHaveLength(3);
        for (const { message } of problems) expect(message).toMatch(/already answers|at once/);
        expect(await ask(path, 'status')).toEqual({ ok: true, status });
        for (const one of tries) if (one.status === 'fulfilled') one.value.close();
        expect(readdirSync(runDir).filter((name) => name !== 'elsewhere')).toEqual([]);
      }
    },
  );

  test('does not take that of another daemon along when it closes', async () => {
    const first = await open();
    rmSync(path);
    await open();
    first.close();
    expect(await ask(path, 'status')).toEqual({ ok: true, status });
  });

  test('that is a plain file is replaced', async () => {
    writeFileSync(path, 'left');
    await open();
    expect(await ask(path, 'status')).toEqual({ ok: true, status });
  });

  test('that another daemon answers on is left to it, and its process is named', async () => {
    await open();
    await expect(open()).rejects.toThrow(
      `Another daemon (process ${process.pid}) already answers on ${path}: status and demote ` +
        'will reach that one and not this one. Hosts in network namespaces share the file ' +
        'system; give each its own --run-dir',
    );
    expect(await ask(path, 'status')).toEqual({ ok: true, status });
  });

  test('that another daemon listens on and does not answer is left to it', async () => {
    await serve(path, () => undefined);
    const asking = ask(path, 'status').catch((error: Error) => error.message);
    await expect(open()).rejects.toThrow(`Another daemon listens on ${path}`);
    expect(await asking).toBe(`${path} does not answer`);
    expect(statSync(path).isSocket()).toBe(true);
  });
});

describe('a request', () => {
  test.each(['status', 'demote', 'promote'] as const)(
    '%s is handed on and answered',
    async (word) => {
      await open();
      expect(await ask(path, word)).toEqual({ ok: true, status });
      expect(asked).toEqual([word]);
    },
  );

  test('is answered in one line of JSON', async () => {
    await open();
    const answer = await say('{"command":"status"}\n');
    expect(answer).toMatch(/^[^\n]+\n$/);
    const namespace = statSync('/proc/self/ns/net').ino;
    expect(JSON.parse(answer)).toEqual({
      ok: true,
      status,
      daemon: { pid: process.pid, namespace },
    });
  });

  test('may come in pieces', async () => {
    await open();
    const socket = createConnection(path);
    const answer = text(socket);
    for (const letter of '{"command": "demote"}\n') {
      socket.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(JSON.parse(await answer)).toMatchObject({ ok: true });
    expect(asked).toEqual(['demote']);
  });

  test('is the only one of its connection', async () => {
    await open();
    const socket = createConnection(path);
    const answer = text(socket);
    socket.write('{"command":"demote"}\n{"command":"promote"}\n');
    await new Promise((resolve) => setImmediate(resolve));
    socket.write('{"command":"demote"}\n');
    expect((await answer).split('\n')).toHaveLength(2);
    expect(asked).toEqual(['demote']);
  });

  test('refused by the daemon comes back as its words', async () => {
    const refusal: Reply = { ok: false, error: 'the interface eth1 has no link' };
    sockets.push(await listen(path, runDir, () => refusal));
    expect(await ask(path, 'promote')).toEqual(refusal);
  });

  test.each([
    ['no JSON', 'status\n'],
    ['nothing', '\n'],
    ['null', 'null\n'],
    ['a list', '["status"]\n'],
    ['an unknown command', '{"command":"halt"}\n'],
    ['a command of JavaScript', '{"command":"constructor"}\n'],
    ['bytes that are no text', '\xff\xfe\x00\n'],
    ['far too much', `${'x'.repeat(100_000)}\n`],
    ['far too much without end', 'x'.repeat(100_000)],
  ])('that is %s is refused and does no harm', async (_, words) => {
    await open();
    const answer = await say(words).catch((error: NodeJS.ErrnoException) => error.code);
    // The rest of what was far too much may meet a closed socket.
    if (answer !== 'EPIPE' && answer !== 'ECONNRESET') {
      expect(JSON.parse(String(answer))).toMatchObject({
        ok: false,
        error: 'not a request; known commands are status, demote, promote, stop',
      });
    }
    expect(asked).toEqual([]);
    expect(await ask(path, 'status')).toMatchObject({ ok: true });
  });

  test('that does not come is waited for no longer than two seconds', async () => {
    await open();
    const silent = createConnection(path);
    const slow = createConnection(path);
    const dripping = setInterval(() => slow.write(' '), 100);
    const started = performance.now();
    slow.on('error', () => undefined);
    expect(await text(silent)).toBe('');
    await text(slow).catch(() => undefined);
    clearInterval(dripping);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(asked).toEqual([]);
  });

  test('of many at once gets an answer each', async () => {
    await open();
    const replies = await Promise.all(Array.from({ length: 100 }, () => ask(path, 'status')));
    expect(replies).toHaveLength(100);
    expect(new Set(replies.map(({ ok }) => ok))).toEqual(new Set([true]));
  });

  test('whose asker has gone does no harm', async () => {
    await open();
    for (let count = 0; count < 20; count += 1) {
      const socket = createConnection(path);
      socket.on('error', () => undefined);
      socket.write('{"command":"status"}\n', () => socket.destroy());
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(await ask(path, 'status')).toMatchObject({ ok: true });
  });
});

describe('asking', () => {
  test('where nothing is, or nobody listens any more, finds nobody', async () => {
    const nothing = await ask(path, 'status').catch((error: unknown) => error);
    expect(isNobody(nothing)).toBe(true);
    await leaveSocketBehind();
    const left = await ask(path, 'status').catch((error: unknown) => error);
    expect(isNobody(left)).toBe(true);
  });

  test.each([
    ['what is no JSON', 'hello\n'],
    ['what is no reply', '{"answer":42}\n'],
    ['null', 'null\n'],
  ])('somebody else who answers %s is an error', async (_, answer) => {
    await serve(path, () => answer);
    const error = await ask(path, 'status').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: expect.stringContaining('not the socket of a tscarp') });
    expect(isNobody(error)).toBe(false);
  });

  test('somebody who closes without an answer is an error', async () => {
    const server = createServer((socket) => socket.resume().end());
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    sockets.push(server);
    await expect(ask(path, 'status')).rejects.toThrow(/closed without an answer|EPIPE|ECONNRESET/);
  });
});

describe('the sockets of a directory', () => {
  test('are listed in order, and what is none is passed over', () => {
    for (const name of ['2@eth0.sock', '1@eth1.sock', 'notes.txt']) {
      writeFileSync(join(runDir, name), '');
    }
    expect(listSockets(runDir)).toEqual([join(runDir, '1@eth1.sock'), join(runDir, '2@eth0.sock')]);
  });

  test('that does not exist are none', () => {
    expect(listSockets(join(runDir, 'nosuch'))).toEqual([]);
  });

  test('that is no directory, or not readable, are an error', () => {
    const file = join(runDir, 'file');
    writeFileSync(file, '');
    expect(() => listSockets(file)).toThrow(/ENOTDIR/);
    const closed = join(runDir, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0);
    // root may read it all the same
    if (process.getuid?.() !== 0) expect(() => listSockets(closed)).toThrow(/EACCES/);
  });
});
