// Talks to one node as a browser would, and keeps count of what was acknowledged: what both databases have to say in the end.
import type { documents } from "../../schema/postgres";

export type Document = typeof documents.$inferSelect;
type Edit = Partial<Pick<Document, "title" | "body" | "tags">> & { readonly views?: number };

/** Documents as acknowledged by either node; of two writes to one column the later stands. */
export class Ledger {
  readonly documents = new Map<string, Document>();
  writes = 0;

  created(document: Document): void {
    this.writes++;
    this.documents.set(document.id, document);
  }
  edited(id: string, { views = 0, ...fields }: Edit): void {
    this.writes++;
    const document = this.documents.get(id);
    if (document) Object.assign(document, fields, { viewCount: document.viewCount + views });
  }
}

export class Client {
  constructor(
    readonly name: string,
    readonly url: string,
    private readonly token: string,
    private readonly ledger: Ledger,
  ) {}

  async #send<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = { "content-type": "application/json", authorization: `Bearer ${this.token}` };
    const response = await fetch(this.url + path, { method, headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${this.name}: ${method} ${path} answered ${response.status}.`);
    return response.json() as Promise<Answer>;
  }

  async create(document: { readonly id: string; readonly title: string; readonly tags?: string[] }): Promise<void> {
    this.ledger.created(await this.#send("POST", "/documents", document));
  }
  async edit(id: string, edit: Edit): Promise<void> {
    await this.#send("PUT", `/documents/${id}`, edit);
    this.ledger.edited(id, edit);
  }
  list(): Promise<Document[]> {
    return this.#send("GET", "/documents");
  }
}
