// The state tables in ARCHITECTURE.md are generated; this fails when they are stale.
// `UPDATE=1 npx vitest run test/protocol/state-tables` writes them anew.

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { beginMarker, endMarker, stateTables } from '../../scripts/state-tables.js';

const path = new URL('../../ARCHITECTURE.md', import.meta.url);

/** The page with everything between the markers replaced. */
function withTables(page: string): string {
  const begin = page.indexOf(beginMarker);
  const end = page.indexOf(endMarker);
  if (begin < 0 || end < begin) throw new Error(`ARCHITECTURE.md has no ${beginMarker}`);
  const head = page.slice(0, begin + beginMarker.length);
  return `${head}\n\n${stateTables()}\n\n${page.slice(end)}`;
}

describe('ARCHITECTURE.md', () => {
  it('shows the states as the machine has them', () => {
    const page = readFileSync(path, 'utf8');
    const fresh = withTables(page);
    if (process.env['UPDATE'] === '1' && fresh !== page) writeFileSync(path, fresh);
    else expect(page, 'run it with UPDATE=1').toBe(fresh);
  });

  it('shows every state, and what the rules of the protocol turn on', () => {
    const tables = stateTables();
    for (const state of ['INITIALIZE', 'BACKUP', 'MASTER'])
      expect(tables).toContain(`**${state}**`);
    expect(tables).toContain('| dead time over | MASTER | master-down | claim, announce, adv');
    expect(tables).toContain('| goodbye (255/255) | MASTER | goodbye |');
    expect(tables).toContain('| of an equal host, last octet lower | BACKUP | preferred-master |');
    expect(tables).toContain('| of an equal host, last octet higher | MASTER |  | announce |');
  });
});
