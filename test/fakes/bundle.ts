// Builds programs that tests run as processes of their own, the way the product is built: from the
// sources as they are, inside of the project so that they find the native packages.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Program {
  readonly file: string;
  remove(): void;
}

/** `name` is what the file is called; a program of this project looks at that. */
export async function buildProgram(entry: URL, name: string): Promise<Program> {
  const builds = `${root}build`;
  mkdirSync(builds, { recursive: true });
  const folder = mkdtempSync(`${builds}/${name}-`);
  const file = `${folder}/${name}.js`;
  await execute(process.execPath, ['scripts/build.mjs', file, fileURLToPath(entry)], { cwd: root });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
