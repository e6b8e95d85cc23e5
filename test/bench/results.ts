// What was found: one row a quantity, one cell a program; and how that is told to people and to
// programs.

import { formatTable } from '../../src/cli/table.js';
import type { ProgramName } from './programs.js';
import { programNames } from './programs.js';
import type { Sample } from './statistics.js';

export interface Quantity {
  readonly id: string;
  readonly what: string;
  readonly unit: 'ms' | 'MiB' | '%' | 'echoes';
  readonly decimals: number;
  /** What tscarp's median shall stay below. */
  readonly target?: number;
}

export type Cell =
  | { readonly ok: true; readonly sample: Sample }
  /** It could not be measured, and why. */
  | { readonly ok: false; readonly problem: string };

export interface Machine {
  readonly date: string;
  readonly kernel: string;
  readonly cpus: string;
  readonly memory: string;
  readonly node: string;
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
}

export interface Document {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly seconds: number;
  /** A program's version, or null when it is not installed. */
  readonly programs: Readonly<Record<ProgramName, string | null>>;
  readonly rows: readonly DocumentRow[];
}

export interface DocumentRow extends Quantity {
  readonly values: Readonly<Partial<Record<ProgramName, Sample | { readonly problem: string }>>>;
  /** tscarp's median divided by the other's; absent when either is. */
  readonly ratios: Readonly<Partial<Record<ProgramName, number>>>;
  readonly met?: boolean;
}

export class Results {
  readonly #quantities: readonly Quantity[];
  readonly #cells = new Map<string, Map<ProgramName, Cell>>();

  constructor(quantities: readonly Quantity[]) {
    this.#quantities = quantities;
  }

  set(id: string, program: ProgramName, cell: Cell): void {
    if (!this.#quantities.some((quantity) => quantity.id === id)) {
      throw new RangeError(`There is no row "${id}".`);
    }
    const row = this.#cells.get(id) ?? new Map<ProgramName, Cell>();
    this.#cells.set(id, row.set(program, cell));
  }

  get failures(): readonly string[] {
    return this.#quantities.flatMap(({ id, what }) =>
      [...(this.#cells.get(id) ?? [])].flatMap(([program, cell]) =>
        cell.ok ? [] : [`${program}, ${what}: ${cell.problem}`],
      ),
    );
  }

  /** The rows that have at least one value. */
  rows(): readonly DocumentRow[] {
    return this.#quantities.flatMap((quantity) => {
      const cells = this.#cells.get(quantity.id);
      return cells === undefined ? [] : [documentRow(quantity, cells)];
    });
  }
}

function documentRow(quantity: Quantity, cells: ReadonlyMap<ProgramName, Cell>): DocumentRow {
  const values: Partial<Record<ProgramName, Sample | { problem: string }>> = {};
  const ratios: Partial<Record<ProgramName, number>> = {};
  const own = cells.get('tscarp');
  for (const [program, cell] of cells) {
    values[program] = cell.ok ? cell.sample : { problem: cell.problem };
    if (program === 'tscarp' || !cell.ok || own?.ok !== true || cell.sample.median === 0) continue;
    ratios[program] = own.sample.median / cell.sample.median;
  }
  const met =
    quantity.target === undefined || own === undefined
      ? {}
      : { met: own.ok && own.sample.median < quantity.target };
  return { ...quantity, values, ratios, ...met };
}

export function formatDocument(document: Document): string {
  const { machine, programs, rows, quick, seconds } = document;
  const versions = programNames.map((name) => `${name} ${programs[name] ?? '(not installed)'}`);
  const load = (values: readonly number[]): string => values.map((v) => v.toFixed(2)).join(' ');
  const head = [
    `machine   ${machine.cpus}, ${machine.memory}, Linux ${machine.kernel}, Node ${machine.node}`,
    `programs  ${versions.join(', ')}`,
    `load      ${load(machine.loadBefore)} before, ${load(machine.loadAfter)} after`,
    `run       ${machine.date}, ${quick ? 'quick, ' : ''}${Math.round(seconds)} s; medians (n)`,
  ];
  const others = programNames.filter((name) => name !== 'tscarp');
  const titles = ['what', 'unit', ...programNames, ...others.map((name) => `/ ${name}`), 'target'];
  const body = rows.map((row) => [
    row.what,
    row.unit,
    ...programNames.map((name) => formatCell(row, name, programs[name] !== null)),
    ...others.map((name) => formatRatio(row.ratios[name])),
    formatTarget(row),
  ]);
  return `${head.join('\n')}\n\n${formatTable([titles, ...body])}`;
}

function formatCell(row: DocumentRow, name: ProgramName, installed: boolean): string {
  if (!installed) return 'not installed';
  const value = row.values[name];
  if (value === undefined) return '-';
  if ('problem' in value) return 'failed';
  return `${value.median.toFixed(row.decimals)} (${value.n})`;
}

function formatRatio(ratio: number | undefined): string {
  if (ratio === undefined) return '-';
  if (ratio === 0) return 'x 0';
  return `x ${ratio >= 10 ? ratio.toFixed(0) : ratio.toPrecision(2)}`;
}

function formatTarget({ target, met }: DocumentRow): string {
  if (target === undefined || met === undefined) return '';
  return `< ${target}: ${met ? 'met' : 'MISSED'}`;
}
