// The programs that are compared, set up alike: adverts every second, the same address, added to
// the same interface, and the same rank: CARP's skew of n/256 s is VRRP's priority 256 - n.

import { chmodSync, writeFileSync } from 'node:fs';
import { run } from '../../src/lab/command.js';
import { NetError } from '../../src/net/errors.js';
import type { Backend } from '../../src/net/ports.js';
import {
  carpAdvert,
  type FrameKind,
  password,
  routerId,
  type Sender,
  vrrpAdvert,
} from './frames.js';

export const programNames = ['tscarp', 'ucarp', 'keepalived'] as const;
export type ProgramName = (typeof programNames)[number];

export const address = '10.0.0.10';

/** Where one daemon runs, and as what. */
export interface Post {
  /** For its files and nobody else's. */
  readonly folder: string;
  /** The host's own address. */
  readonly source: string;
  /** 256ths of a second, from 2: the less, the better. */
  readonly skew: number;
  /** keepalived always takes over from a worse master. */
  readonly preempt: boolean;
  /** Of tscarp. */
  readonly backend?: Backend;
}

export interface Subject {
  readonly name: ProgramName;
  readonly version: string;
  /** Writes the files that it needs and answers with the command line. */
  line(post: Post): readonly string[];
  readonly backup: RegExp;
  readonly master: RegExp;
  /** What a master sends at once when it hears an advert of somebody worse. */
  readonly reaction: FrameKind;
  /** An advert of another host, of that skew. */
  advert(sender: Sender, skew: number): Uint8Array;
  /** What a master says when it leaves. */
  goodbye(sender: Sender): Uint8Array;
  /** How long the protocol makes a backup of that skew wait after a goodbye. */
  patienceMs(skew: number): number;
  /** How long it may take to notice a frame: ucarp's capture hands frames over once a second. */
  readonly noticeMs: number;
}

/** The programs that are installed. */
export async function findSubjects(program: string): Promise<readonly Subject[]> {
  const found = await Promise.all([findTscarp(program), findUcarp(), findKeepalived()]);
  return found.filter((subject) => subject !== undefined);
}

const carp = {
  backup: /Switching to state: BACKUP/,
  master: /Switching to state: MASTER/,
  reaction: 'garp',
  advert: (sender, skew) => carpAdvert(sender, 1, skew),
  goodbye: (sender) => carpAdvert(sender, 255, 255),
  patienceMs: () => 0,
} as const satisfies Partial<Subject>;

async function findTscarp(program: string): Promise<Subject> {
  const command = [process.execPath, program];
  const { status, stdout, stderr } = await run([...command, '--version']);
  if (status !== 0) throw new NetError('failed', `${program} does not run: ${stderr.trim()}`);
  return {
    ...carp,
    name: 'tscarp',
    version: stdout.trim().replace(/^tscarp /, ''),
    noticeMs: 0,
    line: (post) => {
      const places = ['--run-dir', `${post.folder}/run`, '--state-dir', `${post.folder}/state`];
      const backend = post.backend === undefined ? [] : ['--backend', post.backend];
      return [...command, ...carpOptions(post), '-a', `${address}/24`, ...places, ...backend];
    },
  };
}

async function findUcarp(): Promise<Subject | undefined> {
  const version = await versionOf(['ucarp', '--help'], /ucarp (\S+)/);
  if (version === undefined) return undefined;
  return {
    ...carp,
    name: 'ucarp',
    version,
    noticeMs: 1_100,
    line: (post) => {
      const script = (name: string, verb: string): string => {
        const path = `${post.folder}/${name}`;
        writeFileSync(path, `#!/bin/sh\nexec ip addr ${verb} "$2/24" dev "$1" 2>/dev/null\n`);
        chmodSync(path, 0o755);
        return path;
      };
      const scripts = ['-u', script('up', 'add'), '-d', script('down', 'del'), '-z'];
      return ['ucarp', ...carpOptions(post), '-a', address, ...scripts];
    },
  };
}

function carpOptions({ source, skew, preempt }: Post): readonly string[] {
  const rank = ['-b', '1', '-k', String(skew), ...(preempt ? ['-P'] : [])];
  return [
    '-i',
    'eth0',
    '-s',
    source,
    '-v',
    String(routerId),
    '-p',
    password,
    ...rank,
    '-f',
    'none',
  ];
}

async function findKeepalived(): Promise<Subject | undefined> {
  const version = await versionOf(['keepalived', '--version'], /Keepalived v(\S+)/);
  if (version === undefined) return undefined;
  return {
    name: 'keepalived',
    version,
    backup: /Entering BACKUP STATE/,
    master: /Entering MASTER STATE/,
    reaction: 'advert',
    advert: (sender, skew) => vrrpAdvert(sender, 256 - skew),
    goodbye: (sender) => vrrpAdvert(sender, 0),
    patienceMs: (skew) => (skew / 256) * 1000, // RFC 9568 §6.1, Skew_Time
    noticeMs: 0,
    line: ({ folder, skew }) => {
      const file = `${folder}/keepalived.conf`;
      writeFileSync(file, keepalivedConfig(256 - skew));
      const pidFiles = ['-p', `${folder}/parent.pid`, '-r', `${folder}/vrrp.pid`];
      return ['keepalived', '-n', '-l', '-G', '-P', '-f', file, ...pidFiles];
    },
  };
}

const keepalivedConfig = (priority: number): string => `global_defs {
  router_id bench
}
vrrp_instance lan {
  state BACKUP
  interface eth0
  virtual_router_id ${routerId}
  version 3
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${address}/24 dev eth0
  }
}
`;

async function versionOf(argv: readonly string[], pattern: RegExp): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(argv);
    return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
  } catch (error) {
    if (error instanceof NetError && error.code === 'missing-program') return undefined;
    throw error;
  }
}
