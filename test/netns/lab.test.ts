// `tscarp lab` as a newcomer runs it, and what it says where it cannot run.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launch, type Outcome, run } from '../../src/lab/command.js';
import { until } from '../../src/lab/until.js';
import { describeOnNetwork, tscarp } from './require.js';

const lab = [process.execPath, tscarp, 'lab'];

interface Told {
  readonly event: string;
  readonly t: number;
  readonly host?: string;
  readonly hosts?: readonly string[];
  readonly state?: string;
}

function told(outcome: Outcome): { events: Told[]; summary: unknown } {
  const events = outcome.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told);
  return { events: events.slice(0, -1), summary: events.at(-1) };
}

function leftBehind(pid: number): string[] {
  return ['/run', '/run/netns'].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.startsWith(`tscarp-lab-${pid}-`)),
  );
}

describeOnNetwork('tscarp lab', ['build', 'nft'], () => {
  test.each([
    { fault: 'host', gapAtLeast: 1_500, gapAtMost: 5_000, holders: ['b'] },
    { fault: 'cable', gapAtLeast: 1_500, gapAtMost: 5_000, holders: ['b'] },
    { fault: 'split', gapAtLeast: 1_500, gapAtMost: 5_000, holders: ['a', 'b'] },
    { fault: 'term', gapAtLeast: 0, gapAtMost: 1_000, holders: ['b'] },
    { fault: 'kill', gapAtLeast: 0, gapAtMost: 5_000, holders: ['a', 'b'] },
  ])('tells how the address moves and returns: $fault', async (expected) => {
    const outcome = await run([...lab, '--json', '--break', expected.fault], {
      timeoutMs: 60_000,
    });
    const { events, summary } = told(outcome);
    expect(summary).toMatchObject({
      event: 'summary',
      ok: true,
      fault: expected.fault,
      holdersDuringFault: expected.holders,
    });
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    const { faultGapMs } = summary as { faultGapMs: number };
    expect(faultGapMs).toBeGreaterThanOrEqual(expected.gapAtLeast);
    expect(faultGapMs).toBeLessThanOrEqual(expected.gapAtMost);
    const index = (event: string) => events.findIndex((one) => one.event === event);
    const tookOver = events.findIndex((one, at) => {
      return at > index('break') && one.host === 'b' && one.state === 'MASTER';
    });
    expect(tookOver).toBeGreaterThan(index('break'));
    expect(index('repair')).toBeGreaterThan(tookOver);
    expect(events.findLast(({ event }) => event === 'holders')?.hosts).toEqual(['a']);
  });

  test('when piped it tells a story of plain lines', async () => {
    const outcome = await run(lab, { timeoutMs: 60_000 });
    expect(outcome.status).toBe(0);
    expect(outcome.stdout).not.toContain('\u001b');
    expect(outcome.stdout).toMatch(/^ +\d+\.\d s {2}b {8}MASTER$/m);
    expect(outcome.stdout).toMatch(/^ +\d \d{3} ms {2}when host a died$/m);
  });

  test('Ctrl-C leaves nothing behind', async () => {
    const program = launch([...lab, '--json']);
    await until('both daemons run', 15_000, () => {
      return program.lines.filter(({ text }) => text.includes('"state"')).length >= 2;
    });
    expect(leftBehind(program.pid)).not.toEqual([]);
    program.signal('SIGINT');
    expect(await program.exited).toEqual({ status: undefined, signal: 'SIGINT' });
    expect(leftBehind(program.pid)).toEqual([]);
  });

  test('a reader that goes away ends it', async () => {
    const script = `"$@" | head -n 2; exit "\${PIPESTATUS[0]}"`;
    const outcome = await run(['bash', '-c', script, 'bash', ...lab], { timeoutMs: 30_000 });
    expect(outcome).toMatchObject({ status: 1, stderr: '' });
  });

  test('a daemon that cannot start is named with its reason, and the status is 1', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tscarp-lab-test-'));
    // A file where a directory must be: the preloaded module ends every process but the lab itself.
    const preload = join(folder, 'end.cjs');
    const body = `if (!process.argv.includes('lab')) { console.error('no luck'); process.exit(7) }`;
    await run(['sh', '-c', `printf '%s' "$1" > "$2"`, 'sh', body, preload]);
    const outcome = await run([...lab, '--json'], {
      env: { NODE_OPTIONS: `--require ${preload}` },
      timeoutMs: 30_000,
    });
    rmSync(folder, { recursive: true });
    const { events, summary } = told(outcome);
    expect(outcome.status).toBe(1);
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'exit', how: 'status 7', said: 'no luck' }),
    );
    expect(summary).toMatchObject({ ok: false, problem: expect.stringContaining('status 7') });
  });

  test('without root it says what to do', async () => {
    const outcome = await run(['unshare', '--user', ...lab]);
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    expect(outcome.stderr).toBe('tscarp lab: Network namespaces need root: run it with sudo.\n');
  });

  test('without the right to make namespaces it says what to do', async () => {
    const outcome = await run(['setpriv', '--bounding-set', '-all', '--inh-caps', '-all', ...lab]);
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/^tscarp lab: This machine does not allow network namespaces;/);
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
  });

  test('without ip or ping it names the package to install', async () => {
    const outcome = await run(lab, { env: { PATH: '/nowhere' } });
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    expect(outcome.stderr).toBe(
      'tscarp lab: The program "ip" of iproute2 is missing: install the package iproute2.\n',
    );
  });

  test.each([
    { line: ['--brake', 'host'], says: 'Unknown argument: brake' },
    { line: ['--break', 'leg'], says: 'not "leg"' },
    { line: ['--break'], says: 'Not enough arguments following: break' },
    { line: ['host'], says: 'Unknown argument: host' },
  ])('a line that cannot be is refused with status 2: $line', async ({ line, says }) => {
    const outcome = await run([...lab, ...line]);
    expect(outcome).toMatchObject({ status: 2, stdout: '' });
    expect(outcome.stderr).toContain(says);
  });
});
