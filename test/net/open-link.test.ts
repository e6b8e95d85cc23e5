// Which backend is loaded, and what is said when its package is not there.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bundle, bundleDriver } from './driver.js';

const execute = promisify(execFile);
const koffi = fileURLToPath(new URL('../../node_modules/koffi', import.meta.url));
const koromix = fileURLToPath(new URL('../../node_modules/@koromix', import.meta.url));

describe('without the optional packages', () => {
  let bundle: Bundle | undefined;
  let directory = '';

  beforeAll(async () => {
    bundle = await bundleDriver();
    directory = mkdtempSync(join(tmpdir(), 'tscarp-link-'));
    cpSync(dirname(bundle.file), directory, { recursive: true });
    cpSync(koffi, join(directory, 'node_modules/koffi'), { recursive: true });
    symlinkSync(koromix, join(directory, 'node_modules/@koromix'));
  });

  afterAll(() => {
    bundle?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(backend: string): Promise<unknown> {
    const child = execute(process.execPath, [join(directory, 'link-driver.mjs')]);
    const command = { id: 1, name: 'open', backend, device: 'nosuch0', groups: [] };
    child.child.stdin?.write(`${JSON.stringify(command)}\n`);
    const line = await new Promise<string>((resolve) => {
      child.child.stdout?.setEncoding('utf8').once('data', resolve);
    });
    child.child.stdin?.end();
    await child;
    return JSON.parse(line);
  }

  test('the default backend needs none of them', async () => {
    expect(await open('packet')).toMatchObject({ error: { code: 'no-such-device' } });
  });

  test.each([
    ['cap', 'cap'],
    ['raw', 'raw-socket'],
  ])('the %s backend names its package and the command that installs it', async (backend, name) => {
    const command = 'npm install -g --allow-scripts=cap,@neuralegion/raw-socket ./tscarp-*.tgz';
    expect(await open(backend)).toEqual({
      id: 1,
      error: {
        code: 'missing-module',
        message: expect.stringMatching(
          new RegExp(
            `^The optional package ${name} .*libpcap-dev.*${command.replaceAll('*', '\\*')}$`,
          ),
        ),
      },
    });
  });
});
