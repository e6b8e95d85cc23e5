// What a test of this directory needs from the machine. Where it is missing the tests are skipped
// and say so in their names; in CI they fail, because there it must not be missing.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';

/** The built program, or another build of it: these tests run what users run. */
export const tscarp =
  process.env['TSCARP_PROGRAM'] ??
  fileURLToPath(new URL('../../dist/bin/tscarp.js', import.meta.url));

/** ucarp as Debian installs it; it need not be in the PATH of a test run. */
export const ucarp = '/usr/sbin/ucarp';

/**
 * As vitest's `describe`. `needs` names programs; `build` is the built program. Network namespaces,
 * root and iproute2 are always needed.
 */
export function describeOnNetwork(name: string, needs: readonly string[], body: () => void): void {
  const missing = ['namespaces', 'ping', ...needs].flatMap((need) => lack(need) ?? []);
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  const reason = `needs ${missing.join(', ')}`;
  if (process.env['CI'] === undefined) {
    describe.skip(`${name} (${reason})`, body);
    return;
  }
  test(name, () => {
    throw new Error(`This test must not be skipped in CI: it ${reason}.`);
  });
}

function lack(need: string): string | undefined {
  if (need === 'namespaces') return lackOfNamespaces();
  if (need === 'build') return existsSync(tscarp) ? undefined : 'a build (npm run build)';
  const found = spawnSync('sh', ['-c', `command -v ${need}`], {
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
  return found.status === 0 ? undefined : `the program ${need}`;
}

function lackOfNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'root';
  const tried = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']);
  return tried.status === 0 ? undefined : 'network namespaces';
}
