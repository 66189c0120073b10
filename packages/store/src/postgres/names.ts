// The short integers of `_grove_nodes` and `_grove_shapes`. What a transaction adds is its own until it has committed: a read
// beside it, or after it has failed, must never take a name for stored that is not.
import type { Interned } from "@grove-crdt/core";
import type { PostgresTransaction } from "./driver";
import { toParams } from "./sql";

const RESERVED = 0;

/** Interned names that are committed, remembered between transactions. Other processes add to them as well. */
export class Names {
  readonly #nodes = new Map<string, number>([["", RESERVED]]);
  readonly #nodeNames = new Map<number, string>([[RESERVED, ""]]);
  readonly #shapes = new Map<string, number>();
  readonly #shapeLists = new Map<number, readonly string[]>();
  lastNode = 0;
  lastShape = 0;

  /** Learns what has been added up to these ids. */
  async load(tx: PostgresTransaction, lastNode: number, lastShape: number): Promise<void> {
    if (lastNode > this.lastNode) {
      const rows = await tx.rows("SELECT id, node FROM public._grove_nodes WHERE id > $1::text::integer", [
        String(this.lastNode),
      ]);
      for (const [id, node] of rows) this.addNode(Number(id), node as string);
    }
    if (lastShape > this.lastShape) {
      const rows = await tx.rows("SELECT id, fields FROM public._grove_shapes WHERE id > $1::text::integer", [
        String(this.lastShape),
      ]);
      for (const [id, fields] of rows) this.addShape(Number(id), fields as string);
    }
  }

  addNode(id: number, node: string): void {
    this.#nodes.set(node, id);
    this.#nodeNames.set(id, node);
    this.lastNode = Math.max(this.lastNode, id);
  }
  addShape(id: number, fields: string): void {
    this.#shapes.set(fields, id);
    this.#shapeLists.set(id, JSON.parse(fields) as string[]);
    this.lastShape = Math.max(this.lastShape, id);
  }

  findNode(node: string): number | undefined {
    return this.#nodes.get(node);
  }
  nodeName(id: number): string | undefined {
    return this.#nodeNames.get(id);
  }
  findShape(fields: readonly string[]): number | undefined {
    return this.#shapes.get(JSON.stringify(fields));
  }
  shapeFields(id: number): readonly string[] | undefined {
    return this.#shapeLists.get(id);
  }
}

/** The names as one transaction sees them: what is committed, and what it adds itself, which counts once it commits. */
export class SessionNames implements Interned {
  readonly #nodes = new Map<string, number>();
  readonly #shapes = new Map<string, number>();
  readonly #added = new Names();
  /** Lists are mostly one and the same for all rows of a table. */
  readonly #known = new WeakMap<readonly string[], number>();
  #stored = { nodes: 0, shapes: 0 };
  constructor(private readonly committed: Names) {}

  /** Learns what has been committed up to these ids. */
  load(tx: PostgresTransaction, lastNode: number, lastShape: number): Promise<void> {
    return this.committed.load(tx, lastNode, lastShape);
  }

  nodeId(node: string): number {
    const known = this.committed.findNode(node) ?? this.#nodes.get(node);
    if (known !== undefined) return known;
    const id = Math.max(this.committed.lastNode, this.#added.lastNode) + 1;
    this.#nodes.set(node, id);
    this.#added.addNode(id, node);
    return id;
  }
  nodeName(id: number): string {
    return (this.committed.nodeName(id) ?? this.#added.nodeName(id)) as string;
  }
  shapeId(fields: readonly string[]): number {
    const id = this.#known.get(fields) ?? this.#findOrAdd(fields);
    this.#known.set(fields, id);
    return id;
  }
  #findOrAdd(fields: readonly string[]): number {
    const known = this.committed.findShape(fields) ?? this.#added.findShape(fields);
    if (known !== undefined) return known;
    const id = Math.max(this.committed.lastShape, this.#added.lastShape) + 1;
    const text = JSON.stringify(fields);
    this.#shapes.set(text, id);
    this.#added.addShape(id, text);
    return id;
  }
  shapeFields(id: number): readonly string[] {
    return (this.committed.shapeFields(id) ?? this.#added.shapeFields(id)) as readonly string[];
  }

  /** Stores what the transaction has added since the last time. */
  async flush(tx: PostgresTransaction): Promise<void> {
    const insert = (table: string, column: string, added: ReadonlyMap<string, number>, stored: number) => {
      const rows = [...added].slice(stored).map(([text, id]) => [id, text] as const);
      if (rows.length === 0) return;
      return tx.rows(
        `INSERT INTO public.${table} (id, ${column}) SELECT * FROM unnest($1::text::integer[], $2::text::text[])`,
        toParams(2, rows),
      );
    };
    await insert("_grove_nodes", "node", this.#nodes, this.#stored.nodes);
    await insert("_grove_shapes", "fields", this.#shapes, this.#stored.shapes);
    this.#stored = { nodes: this.#nodes.size, shapes: this.#shapes.size };
  }

  /** The transaction has committed. */
  settle(): void {
    for (const [node, id] of this.#nodes) this.committed.addNode(id, node);
    for (const [fields, id] of this.#shapes) this.committed.addShape(id, fields);
  }
}
