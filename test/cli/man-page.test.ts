// The manual page is generated; this fails when it is stale. `UPDATE=1 npx vitest run
// test/cli/man-page` writes it anew.

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manPage } from '../../scripts/man-page.js';
import { options } from '../../src/cli/options.js';

const path = new URL('../../man/tscarp.8', import.meta.url);

describe('man/tscarp.8', () => {
  it('is what the option table and its text yield', () => {
    const fresh = manPage();
    if (process.env['UPDATE'] === '1') writeFileSync(path, fresh);
    expect(readFileSync(path, 'utf8'), 'run it with UPDATE=1').toBe(fresh);
  });

  it('has every option', () => {
    const page = readFileSync(path, 'utf8').replaceAll('\\-', '-');
    for (const { name } of options) expect(page).toContain(`\\fB--${name}\\fR`);
  });
});
