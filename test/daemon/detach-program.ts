// A program that leaves the terminal: the first process prints what it learned of the second, which
// does what the vhid of its configuration says.

import { readFileSync, readlinkSync, writeFileSync, writeSync } from 'node:fs';
import { detach, receiveErrand } from '../../src/daemon/detach.js';
import { testConfig } from '../fakes/config.js';

const [, script = '', vhid, report = '', personality] = process.argv;
const received = await receiveErrand();

if (received === undefined) {
  const config = testConfig({
    vhid: Number(vhid),
    personality: personality === 'ucarp' ? 'ucarp' : 'tscarp',
    password: Buffer.from([0x70, 0xff, 0x00, 0xe4]),
  });
  const messages = [{ level: 'warning', text: 'Warning: "äöü"\nsecond line' }] as const;
  const maskedArgv = [...process.argv.slice(2), '--pass=****'];
  const outcome = await detach({ config, messages, script, maskedArgv });
  writeSync(1, `${JSON.stringify({ ...outcome, pid: process.pid })}\n`);
  process.exit(0);
}

const { errand, report: tell } = received;
const lives: Readonly<Record<number, () => unknown>> = {
  1: () => {
    writeFileSync(report, JSON.stringify(describeSelf()));
    tell({ ok: true });
    setTimeout(() => undefined, 30_000);
  },
  2: () => {
    tell({ ok: false, status: 1, lines: ['There is no interface nope0'] });
    process.exit(1);
  },
  3: () => process.exit(7),
  4: () => process.kill(process.pid, 'SIGKILL'),
  5: () => {
    throw new Error('a bug');
  },
};
lives[errand.config.vhid]?.();

function describeSelf(): object {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid: process.pid,
    session: Number(fields[3]),
    terminal: Number(fields[4]),
    folder: process.cwd(),
    files: [0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)),
    argv: process.argv.slice(2),
    environment: Object.keys(process.env).filter((name) => name.startsWith('TSCARP')),
    password: [...errand.config.password],
    isBytes: errand.config.password instanceof Uint8Array,
    messages: errand.messages,
    config: { ...errand.config, password: undefined },
  };
}
