// Which rows show: the greatest set of rows in which every rule of unique keys and references holds. A pure function of
// the shadow. In one database these rules refuse a write; here the writes have happened, so they decide what shows:
//
//   1. Take all rows that live, and those deleted ones whose values are kept. Take away every row whose parent is not
//      among them (CASCADE, NO ACTION, RESTRICT; a SET DEFAULT whose default has no parent either), and every deleted
//      row to which no living row refers through NO ACTION or RESTRICT, directly or through deleted rows. Repeat.
//   2. Of what is left, keep the rows that hold their unique keys: first come keeps, deleted rows rank last. So a row
//      without its parent blocks no key.
//   3. Of those, take away as in 1.
//   4. Rows whose parent is not left show with NULL, or with the default, where SET NULL or SET DEFAULT says so.
//
// Why a parent is not there, deleted, not arrived, hidden or under another key now, makes no difference: onDelete says
// what becomes of the child. Rows that refer to each other in a ring keep each other; deleted ones alone do not.

import { isAlive, type Row } from "../row";
import { type Claim, claimOf, decideHolders } from "./claim";
import {
  isBinding,
  isKeeping,
  keyOf,
  type Link,
  type Links,
  type Neighbours,
  PRIMARY,
  targetOf,
  type Values,
  withoutParent,
} from "./link";

/** A row that may show. */
export interface Candidate {
  /** Names the row among all tables: its primary key's name. */
  readonly id: string;
  readonly table: string;
  readonly row: Row;
  /** What the shadow says, key columns included. */
  readonly values: Values;
  /** It shows, and nothing that could change this is under decision. */
  readonly settled?: boolean;
  /** The database of this node does not take the row, so it cannot show here; on others it may, and it keeps its keys. */
  readonly refused?: boolean;
}

/** Why a row does not show. */
export type Reason =
  | { readonly code: "unique"; readonly holder: string }
  | { readonly code: "reference"; readonly link: Link }
  | { readonly code: "deleted" }
  | { readonly code: "refused" };

export interface Shown {
  /** The values that it shows: those of the shadow, but for columns whose parent is not there. */
  readonly values: Values;
  /** References that SET NULL or SET DEFAULT has taken out of {@link values}. */
  readonly loose: readonly Link[];
}

export interface Decision {
  /** By id of each row that shows. */
  readonly shown: ReadonlyMap<string, Shown>;
  /** By id of each other row. */
  readonly hidden: ReadonlyMap<string, Reason>;
  /**
   * By id of each deleted row that a living one refers to: the rows for whose sake it is kept, in the first step and in
   * the last. One that does not show all the same may hold a unique key.
   */
  readonly keptBy: ReadonlyMap<string, readonly string[]>;
}

interface Member {
  readonly candidate: Candidate;
  readonly around: Neighbours;
  readonly lives: boolean;
  /** Names of the keys under which others may refer to it. */
  readonly provides: readonly string[];
  readonly links: readonly { readonly link: Link; readonly target: string; readonly fallback: string | null }[];
}

/** Members of a set, by the keys that they provide and by the keys that they need. */
class Members {
  readonly all = new Set<Member>();
  readonly #providers = new Map<string, Set<Member>>();
  readonly #dependents = new Map<string, Set<Member>>();

  constructor(members: Iterable<Member>) {
    for (const member of members) {
      this.all.add(member);
      for (const key of member.provides) add(this.#providers, key, member);
      for (const { link, target, fallback } of member.links) {
        if (link.reference.onDelete === "set null") continue;
        add(this.#dependents, target, member);
        if (fallback !== null) add(this.#dependents, fallback, member);
      }
    }
  }
  providers(key: string): Iterable<Member> {
    return this.#providers.get(key) ?? [];
  }
  has(key: string): boolean {
    return (this.#providers.get(key)?.size ?? 0) > 0;
  }
  /** Takes a member away, and adds to `suspects` those that may have lost what they need. */
  remove(member: Member, suspects: Member[]): void {
    this.all.delete(member);
    for (const key of member.provides) {
      const providers = this.#providers.get(key);
      providers?.delete(member);
      if (providers?.size !== 0) continue;
      for (const dependent of this.#dependents.get(key) ?? []) suspects.push(dependent);
    }
  }
}

function add<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}

/** The reference that forbids the member to be there; undefined when none does. */
function missing(members: Members, { links }: Member): Link | undefined {
  return links.find(({ link, target, fallback }) => {
    if (link.reference.onDelete === "set null" || members.has(target)) return false;
    // SET DEFAULT: a default of NULLs refers to nothing.
    return isBinding(link) || (fallback !== null && !members.has(fallback));
  })?.link;
}

/** Deleted rows that a living row reaches through NO ACTION and RESTRICT, each with the row that refers to it. */
function keptRows(members: Members): Map<Member, Member> {
  const kept = new Map<Member, Member>();
  const queue = [...members.all].filter(({ lives, candidate }) => lives || candidate.settled);
  for (let member = queue.pop(); member; member = queue.pop()) {
    for (const { link, target } of member.links) {
      if (!isKeeping(link)) continue;
      for (const parent of members.providers(target)) {
        if (parent.lives || kept.has(parent)) continue;
        kept.set(parent, member);
        if (!parent.candidate.settled) queue.push(parent);
      }
    }
  }
  return kept;
}

/** Takes away until no reference is broken and no deleted row is there for nothing. */
function close(members: Members, hidden: Map<string, Reason>): Map<Member, Member> {
  const suspects: Member[] = [...members.all];
  for (;;) {
    for (let member = suspects.pop(); member; member = suspects.pop()) {
      if (member.candidate.settled || !members.all.has(member)) continue;
      const link = missing(members, member);
      if (!link) continue;
      hidden.set(member.candidate.id, { code: "reference", link });
      members.remove(member, suspects);
    }
    const kept = keptRows(members);
    for (const member of [...members.all]) {
      if (member.lives || member.candidate.settled || kept.has(member)) continue;
      hidden.set(member.candidate.id, { code: "deleted" });
      members.remove(member, suspects);
    }
    if (suspects.length === 0) return kept;
  }
}

function memberOf(links: Links, candidate: Candidate): Member {
  const around = links.get(candidate.table) as Neighbours;
  const { values } = candidate;
  const keys = [...(around.in.length > 0 ? [PRIMARY, ...around.referenced] : [])];
  return {
    candidate,
    around,
    lives: isAlive(candidate.row),
    provides: keys.flatMap((place) => keyOf(around.model, place, values) ?? []),
    links: around.out.flatMap((link) => {
      const target = targetOf(link, values);
      if (target === null) return [];
      const fallback = isBinding(link) ? null : targetOf(link, { ...values, ...withoutParent(link) });
      return [{ link, target, fallback }];
    }),
  };
}

/** The rows' claims, with names that no other table's keys have. */
function claims(members: Iterable<Member>): Claim[] {
  const result: Claim[] = [];
  for (const { candidate, around } of members) {
    const { id, row, table, values } = candidate;
    if (around.model.uniques.length === 0) continue;
    const claim = claimOf(around.model, id, row, values);
    result.push({ ...claim, keys: claim.keys.map((key) => key && `${table}\n${key}`) });
  }
  return result;
}

/**
 * Decides which of the candidates show.
 *
 * The candidates must include, of every one that is not settled, all rows that share a unique key with it and the rows
 * that it refers to; of every deleted one, a row that refers to it, if there is any.
 */
export function decideShown(links: Links, candidates: Iterable<Candidate>): Decision {
  const hidden = new Map<string, Reason>();
  const first = new Members([...candidates].map((candidate) => memberOf(links, candidate)));
  const keptBy = new Map<string, string[]>();
  const keep = (kept: ReadonlyMap<Member, Member>) => {
    for (const [{ candidate }, keeper] of kept)
      keptBy.set(candidate.id, [...(keptBy.get(candidate.id) ?? []), keeper.candidate.id]);
  };
  keep(close(first, hidden));
  const { losesTo } = decideHolders(claims(first.all));
  const rest: Member[] = [];
  for (const member of first.all) {
    const { id, refused, settled } = member.candidate;
    const holder = settled ? undefined : losesTo.get(id);
    if (holder !== undefined) hidden.set(id, { code: "unique", holder });
    else if (refused) hidden.set(id, { code: "refused" });
    else rest.push(member);
  }
  const last = new Members(rest);
  keep(close(last, hidden));
  const shown = new Map<string, Shown>();
  for (const member of last.all) {
    const { id, values } = member.candidate;
    const loose = member.links.filter(({ target }) => !last.has(target)).map(({ link }) => link);
    shown.set(id, {
      values: loose.length === 0 ? values : Object.assign({}, values, ...loose.map(withoutParent)),
      loose,
    });
  }
  return { shown, hidden, keptBy };
}
