// A round: how the nodes agree that deletions up to a stamp may be forgotten. One node begins it; its state travels with the
// exchanges, and every node writes its own record in it and no other:
//
//   1. A member that hears of the round closes: it folds, moves its clock past the stamp, and says so. It writes nothing older any more.
//   2. An exchange that brought everything tells which members' closing states have come with it; a member notes that it has them.
//   3. A member that has those of all members is ready: from then on it takes no node that it never met, so that nobody joins unseen.
//      Ready in one round, it is so in no other one until that has ended: so everybody who collects by two does so in the same order. Of
//      two that are under way the one up to the later time goes on, and who began the other gives it up.
//   4. Members are the nodes that can be reached from the one who began it over the peers that each of them names, but for those that
//      were struck off. Once all are ready and have everything of all, that one gives the verdict, and everybody who was ready collects.
//
// So what is forgotten is known to every member, and everybody forgets the very same. Knowing that all know is what causal stability
// asks for: Baquero, Almeida and Shoker 2014, "Making Operation-Based CRDTs Operation-Based", section 4.

/** What one node says in a round. */
export interface Member {
  readonly node: string;
  /** Grows with each of its changes: the latest record of a node is the one that counts. */
  readonly version: number;
  /** Its incarnation when it closed: names its closing state. Empty = it has yet to close. */
  readonly closing: string;
  /** Its clock when it closed, microseconds since 1970. */
  readonly clock: number;
  /** The node ids that it exchanges with, or ever has. */
  readonly peers: readonly string[];
  /** The closing states that it has everything of, its own included. */
  readonly has: readonly string[];
  /** It sees only a part of what its peers have: others learn from it no more than what it wrote itself. */
  readonly narrowed: boolean;
  readonly ready: boolean;
  /** It is told as a stranger may see it: whoever has it so passes it on to nobody. */
  readonly partial?: true;
  /** Its tables, each with the columns of which it can collect something; null = nothing of this table. */
  readonly tables: readonly (readonly [table: string, fields: readonly string[] | null])[];
}

export interface Verdict {
  /** What every member collects. */
  readonly tables: readonly (readonly [table: string, fields: readonly string[]])[];
  /** By member its closing: earlier incarnations of it count no more. */
  readonly closings: readonly (readonly [node: string, closing: string, clock: number])[];
}

export interface Round {
  readonly id: string;
  /** Who began it. */
  readonly by: string;
  /** When, by its clock: of the rounds that one node begins only the latest may be open. */
  readonly began: number;
  /** The stamp up to which deletions are forgotten, microseconds since 1970. */
  readonly upTo: number;
  readonly struck: readonly string[];
  readonly members: readonly Member[];
  readonly verdict?: Verdict;
  /** It was given up. */
  readonly cancelled?: true;
}

export interface Collection {
  /** Deletions stamped up to this are forgotten here; 0 = none ever were. */
  readonly upTo: number;
  /** Those under way, and the last one that ended. */
  readonly rounds: readonly Round[];
  /** The node was struck off and begins anew: until that has ended it exchanges nothing else. */
  readonly rejoining?: true;
}

export const NO_COLLECTION: Collection = { upTo: 0, rounds: [] };

export const isOpen = ({ verdict, cancelled }: Round): boolean => !verdict && !cancelled;

export const memberOf = ({ members }: Round, node: string): Member | undefined =>
  members.find((one) => one.node === node);

/** The members: everybody who can be reached from the one who began the round. */
export function membership(round: Round): readonly string[] {
  const struck = new Set(round.struck);
  const found = new Set([round.by]);
  for (const node of found)
    for (const peer of memberOf(round, node)?.peers ?? []) if (!struck.has(peer)) found.add(peer);
  return [...found];
}

/** What is still to come before the verdict, by node. */
export interface Awaited {
  readonly node: string;
  readonly why: string;
}

/** Whom the round waits for, each with the reason. */
export function awaited(round: Round): readonly Awaited[] {
  const all = membership(round);
  const nameOf = new Map(round.members.map(({ node, closing }) => [closing, node]));
  const closings = all.map((node) => memberOf(round, node)?.closing ?? "");
  const unheard = all.filter((_, n) => closings[n] === "");
  return all.flatMap((node, n): Awaited[] => {
    const member = memberOf(round, node);
    if (!member || closings[n] === "") return [{ node, why: "has not heard of it, or has not answered since" }];
    const missing = closings.filter((closing) => closing !== "" && !member.has.includes(closing));
    if (missing.length > 0)
      return [{ node, why: `has not merged everything of ${missing.map((one) => nameOf.get(one)).join(", ")}` }];
    return member.ready || unheard.length > 0 ? [] : [{ node, why: "has everything, and has not said so" }];
  });
}

/** The closing states that go over with everything that a member has. */
export function givenBy(round: Round, node: string): readonly string[] {
  const member = memberOf(round, node);
  if (!member || member.closing === "") return [];
  return member.narrowed ? [member.closing] : member.has;
}

const withMember = (round: Round, member: Member): Round => ({
  ...round,
  members: [...round.members.filter(({ node }) => node !== member.node), member],
});

/** Two copies of one round. A node's record is believed as far as it is the latest. */
function joinRounds(mine: Round, theirs: Round, self: string): Round {
  let joined: Round = {
    ...mine,
    ...(theirs.verdict && { verdict: theirs.verdict }),
    ...(theirs.cancelled && { cancelled: true as const }),
  };
  for (const member of theirs.members) {
    const known = memberOf(joined, member.node);
    // As good as none, once it is known in full.
    const isLater = !known || member.version > known.version || (known.partial && !member.partial);
    if (!isLater || (member.partial && known && !known.partial)) continue;
    // Nobody knows better than oneself, unless this database was restored: then it has to close anew.
    joined = withMember(joined, member.node === self ? { ...member, closing: "", has: [], ready: false } : member);
  }
  return joined;
}

/** What two nodes know of rounds, together. What ended before the last verdict is left out. */
export function joinRoundsOf(mine: Collection, theirs: readonly Round[], self: string): Collection {
  const rounds = new Map(mine.rounds.map((round) => [round.id, round]));
  for (const round of theirs) {
    const known = rounds.get(round.id);
    const blank: Round = { ...round, members: [] };
    rounds.set(round.id, joinRounds(known ?? blank, round, self));
  }
  return withoutOld({ ...mine, rounds: [...rounds.values()] });
}

function withoutOld({ upTo, rounds, ...rest }: Collection): Collection {
  const last = Math.max(0, ...rounds.flatMap((round) => (round.verdict ? [round.upTo] : [])));
  const latest = (by: string) => Math.max(...rounds.flatMap((round) => (round.by === by ? [round.began] : [])));
  const kept = rounds.filter((round) =>
    round.verdict ? round.upTo === last : round.upTo > last && round.began === latest(round.by),
  );
  return { ...rest, upTo, rounds: kept };
}

/** What a node knows of itself. */
export interface Self {
  readonly node: string;
  readonly incarnation: string;
  /** Its clock, which is past every stamp up to which it closes. */
  readonly clock: number;
  readonly peers: readonly string[];
  /** Some of what it was sent is not in its tables, since it waits or was rejected: what comes counts only once that is settled. */
  readonly lacks: boolean;
  readonly tables: Member["tables"];
  /** It has never exchanged anything with anybody. */
  readonly isNew: boolean;
  /** What has come since: closing states, by round. */
  readonly took?: readonly (readonly [round: string, closings: readonly string[]])[];
  /** It sees only a part of what its peers have. */
  readonly narrowed?: boolean;
}

export interface Stepped {
  readonly collection: Collection;
  /** To be collected now. */
  readonly collect: Round | null;
  /** Everybody else has collected, and this node was not there: see {@link Round}. */
  readonly isStruck: boolean;
}

const sameSet = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((one) => b.includes(one));

function close(known: Member | undefined, self: Self): Member {
  const { node, incarnation, clock, peers, tables } = self;
  const version = (known?.version ?? 0) + 1;
  const narrowed = self.narrowed ?? false;
  return { node, version, closing: incarnation, clock, peers, has: [incarnation], narrowed, ready: false, tables };
}

/** Whether a node is to be ready in a round while it is in another one. What who was struck off began has no end to wait for. */
const mayBeReady = (round: Round, rounds: readonly Round[], self: string): boolean =>
  !rounds.some(
    (other) =>
      other.id !== round.id &&
      isOpen(other) &&
      !round.struck.includes(other.by) &&
      memberOf(other, self)?.ready === true,
  );

/** Whether a node gives up what it began, since a later one is under way. */
const givesUp = (round: Round, rounds: readonly Round[], self: string): boolean =>
  round.by === self &&
  isOpen(round) &&
  rounds.some(
    (other) =>
      isOpen(other) &&
      (other.upTo > round.upTo || (other.upTo === round.upTo && other.id > round.id)) &&
      !other.struck.includes(self) &&
      !round.struck.includes(other.by),
  );

function note(round: Round, member: Member, self: Self, mayReady: boolean): Member {
  const took = self.lacks ? [] : (self.took ?? []).flatMap(([id, closings]) => (id === round.id ? closings : []));
  const has = [...new Set([...member.has, ...took])];
  const peers = [...new Set([...member.peers, ...self.peers])];
  const narrowed = member.narrowed || self.narrowed === true;
  const noted = { ...member, has, peers, narrowed };
  const all = membership(withMember(round, noted)).map((node) => (node === self.node ? noted : memberOf(round, node)));
  const ready =
    member.ready || (mayReady && all.every((one) => one && one.closing !== "" && has.includes(one.closing)));
  if (
    sameSet(has, member.has) &&
    sameSet(peers, member.peers) &&
    ready === member.ready &&
    narrowed === member.narrowed
  )
    return member;
  return { ...noted, ready, version: member.version + 1 };
}

function judge(round: Round): Round {
  const members = membership(round).map((node) => memberOf(round, node));
  const closings = members.map((member) => member?.closing ?? "");
  const agreed = members.every(
    (member) => member?.ready && closings.every((closing) => closing !== "" && member.has.includes(closing)),
  );
  if (!agreed) return round;
  const tables = new Map<string, readonly string[] | null>();
  for (const member of members as Member[])
    for (const [table, fields] of member.tables) {
      const known = tables.get(table);
      if (known === undefined) tables.set(table, fields);
      else tables.set(table, fields && (known?.filter((field) => fields.includes(field)) ?? null));
    }
  return {
    ...round,
    verdict: {
      tables: [...tables].flatMap(([table, fields]) => (fields ? [[table, fields] as const] : [])),
      closings: (members as Member[]).map(({ node, closing, clock }) => [node, closing, clock] as const),
    },
  };
}

/** One step of a node in all rounds that it knows of. */
export function stepRounds(collection: Collection, self: Self): Stepped {
  let collect: Round | null = null;
  let isStruck = false;
  let { upTo } = collection;
  // Who has missed a collection has nothing to say until it has rejoined.
  const isBehind = (round: Round) => round.upTo > upTo && !self.isNew && memberOf(round, self.node)?.ready !== true;
  const mayTakePart = !collection.rounds.some((round) => round.verdict && isBehind(round));
  const rounds: Round[] = [...collection.rounds];
  const take = (round: Round): Round => {
    let next = givesUp(round, rounds, self.node) ? { ...round, cancelled: true as const } : round;
    if (mayTakePart && isOpen(next) && !next.struck.includes(self.node)) {
      const known = memberOf(next, self.node);
      const isClosed = known !== undefined && known.closing !== "";
      // A clock that is far behind has to be corrected first.
      if (!isClosed && self.clock <= round.upTo) return round;
      const mayReady = mayBeReady(next, rounds, self.node);
      const noted = note(next, isClosed ? known : close(known, self), self, mayReady);
      if (noted !== known) next = withMember(next, noted);
      if (next.by === self.node) next = judge(next);
    }
    return next;
  };
  for (const [n, round] of rounds.entries()) rounds[n] = take(round);
  for (const round of rounds) {
    if (!round.verdict || round.upTo <= upTo) continue;
    // What waits outside of the tables is merged first: it was sent before this.
    if (memberOf(round, self.node)?.ready) collect = self.lacks ? collect : round;
    else if (!self.isNew) isStruck = true;
    else upTo = round.upTo;
  }
  if (collect) upTo = collect.upTo;
  return { collection: withoutOld({ ...collection, upTo, rounds }), collect, isStruck };
}

/** Whether a node may begin to exchange with another: while it is ready, with none that it never met. */
export type Admittance = "yes" | "later";

export const admits = ({ rounds }: Collection, self: string, isKnown: boolean): Admittance =>
  !isKnown && rounds.some((round) => isOpen(round) && memberOf(round, self)?.ready) ? "later" : "yes";

/** Rounds as they go to a peer that sees everything: what this node knows in full. */
export const roundsToTell = ({ rounds }: Collection): readonly Round[] =>
  rounds.map((round) => ({ ...round, members: round.members.filter(({ partial }) => !partial) }));

/**
 * Rounds as they go to a peer that may not see everything: of the others only this node and the one who began, and what concerns its
 * own tables.
 */
export function roundsFor(
  collection: Collection,
  self: string,
  peer: string,
  tables: ReadonlySet<string>,
): readonly Round[] {
  const isSeen = <T>([table]: readonly [string, T]) => tables.has(table);
  return roundsToTell(collection).map((round) => {
    const shown = new Set([self, peer, round.by]);
    return {
      ...round,
      struck: round.struck.filter((node) => node === peer),
      members: round.members.flatMap((member): Member[] => {
        if (!shown.has(member.node)) return [];
        if (member.node === peer) return [member];
        const peers = [...member.peers.filter((node) => shown.has(node)), ...(member.node === round.by ? [self] : [])];
        return [{ ...member, partial: true, peers: [...new Set(peers)], tables: member.tables.filter(isSeen) }];
      }),
      ...(round.verdict && { verdict: { ...round.verdict, tables: round.verdict.tables.filter(isSeen) } }),
    };
  });
}

/** What a peer that may speak for itself alone can say of rounds: its own record, in those that are known here. */
export const roundsFrom = (
  rounds: readonly Round[],
  { rounds: known }: Collection,
  own: ReadonlySet<string>,
): readonly Round[] =>
  known.flatMap((round) => {
    const told = rounds.find(({ id }) => id === round.id);
    if (!told) return [];
    return [{ ...round, members: told.members.filter(({ node, partial }) => own.has(node) && !partial) }];
  });
