// Talks to one node as a browser would, and writes down what was acknowledged: what every database has to say in the end.
import Database from "better-sqlite3";
import type { DocumentsRow } from "../../generated/sqlite";
import type { NodeProcess } from "./processes";

/** What all clients together were told. */
export class Ledger {
  /** Views acknowledged, by document; of a re-created one, since then. */
  readonly views = new Map<string, number>();
  readonly deleted = new Set<string>();
  writes = 0;

  created(id: string): void {
    if (this.deleted.delete(id)) this.views.delete(id);
    this.viewed(id, 0);
  }
  viewed(id: string, views: number): void {
    this.views.set(id, (this.views.get(id) ?? 0) + views);
  }
  /** The documents that live, with their views. */
  get living(): Map<string, number> {
    return new Map([...this.views].filter(([id]) => !this.deleted.has(id)));
  }
}

type Edit = Partial<Pick<DocumentsRow, "title" | "body" | "tags">> & { readonly views?: number };

export class Client {
  readonly name: string;
  /** What it leaves on documents. */
  readonly tag: string;
  constructor(
    private readonly node: NodeProcess,
    private readonly ledger: Ledger,
  ) {
    this.name = node.name;
    this.tag = node.name.replace("edge-", "");
  }

  async #send(method: string, path: string, body?: unknown): Promise<Response> {
    const headers = { "content-type": "application/json" };
    const response = await fetch(this.node.url + path, { method, headers, body: JSON.stringify(body) });
    if (response.ok && method !== "GET") this.ledger.writes++;
    if (response.ok || response.status === 404) return response;
    throw new Error(`${this.name}: ${method} ${path} answered ${response.status}: ${await response.text()}`);
  }

  async create(title: string): Promise<void> {
    const id = title.toLowerCase();
    await this.#send("POST", "/documents", { id, title });
    this.ledger.created(id);
  }

  /** The document as it is now; null when it is gone. */
  async edit(id: string, edit: Edit): Promise<DocumentsRow | null> {
    const response = await this.#send("PUT", `/documents/${id}`, edit);
    if (!response.ok) return null;
    this.ledger.viewed(id, edit.views ?? 0);
    return (await response.json()) as DocumentsRow;
  }

  async remove(id: string): Promise<void> {
    const response = await this.#send("DELETE", `/documents/${id}`);
    if (response.ok) this.ledger.deleted.add(id);
  }

  async list(): Promise<DocumentsRow[]> {
    const response = await this.#send("GET", "/documents");
    return (await response.json()) as DocumentsRow[];
  }

  async plug(online: boolean): Promise<void> {
    await this.#send("PUT", "/network", online);
  }

  /** Writes to the node's file from this process: past its app, past the ORM, past grove-crdt. */
  sql(text: string): void {
    const database = new Database(this.node.file);
    database.exec(text);
    database.close();
  }
}
