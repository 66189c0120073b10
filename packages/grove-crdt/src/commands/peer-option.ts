// `<url>` and `--header` of the commands that talk to a peer.
import { httpTransport, type Transport } from "@grove-crdt/sync";
import { type Command, InvalidArgumentError } from "commander";

export type Headers = Readonly<Record<string, string>>;

export interface HeaderOptions {
  readonly header?: Headers;
}

/** Adds `--header`. */
export const withHeaders = (command: Command): Command =>
  command.option(
    "--header <name: value>",
    'a header of every request, for example "authorization: Bearer $SYNC_TOKEN"; may be repeated',
    addHeader,
  );

function addHeader(text: string, known: Headers = {}): Headers {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+)\s*:\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('Give a name and a value: "authorization: Bearer …".');
  return { ...known, [name.toLowerCase()]: value };
}

export const readUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  throw new InvalidArgumentError(
    "Give the address where the peer's router is mounted, for example https://example.com/sync.",
  );
};

export const transportOf = (url: string, { header = {} }: HeaderOptions): Transport =>
  httpTransport(url, { headers: () => ({ ...header }) });
