// Plays every scenario of this folder and compares what comes of it with what its file says.
// UPDATE=1 rewrites the files; read the difference before committing it.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rewrite } from './scenario.js';

const folder = new URL('.', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('scenarios', () => {
  it('are found', () => {
    expect(names.length).toBeGreaterThan(0);
  });

  it.each(names)('%s reads as it did', (name) => {
    const file = new URL(name, folder);
    const text = readFileSync(file, 'utf8');
    const played = rewrite(text);
    if (process.env['UPDATE'] === '1') writeFileSync(file, played);
    else expect(played).toBe(text);
  });

  it('name the line that makes no sense', () => {
    expect(() => rewrite('host a 10.0.0.1\nexplode a\n----\n')).toThrow('line 2: explode a');
    expect(() => rewrite('host a 10.0.0.256\n----\n')).toThrow('line 1');
  });
});
