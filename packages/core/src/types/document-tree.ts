// What a document's entries say, path by path, and the object that comes of it.
import type { Entry } from "../entry";
import type { DocumentPath, Json } from "../model";
import { compareStamps, RESERVED_NODE } from "../stamp";
import { isObject, readPath } from "./document-path";

/** A register's state is its value in an array; an empty one = the path was deleted. */
export const DELETED: Json = [];
/** What has a type stands here; `empty` is its value as long as it has no entries. */
export const present = (empty: Json): Json => [empty, 1];

export interface Typed {
  readonly type: DocumentPath["type"];
  readonly entries: Entry[];
}

class Place {
  readonly below = new Map<string, Place>();
  register: Entry | undefined;
  readonly typed: Typed[] = [];
}

const saysObject = ({ state }: Entry): boolean => {
  const [value] = state as readonly Json[];
  return isObject(value) && Object.keys(value).length === 0;
};
/** Nothing that would stand in the place of what has a type. */
const saysPresent = ({ state }: Entry): boolean => (state as readonly Json[]).length === 2;

/** What stands at a path of a type of its own shows, unless a write at this very path says otherwise. */
function shownType({ typed, register }: Place): Typed | undefined {
  if (typed.length === 0) return undefined;
  // What was there before the path had a type says nothing against it.
  if (register && !saysPresent(register) && (register.hlc > 0 || register.node !== RESERVED_NODE)) return undefined;
  return typed.reduce((a, b) => (a.type < b.type ? a : b));
}

export class Tree {
  readonly root = new Place();
  /** By the texts of their paths: those that have entries. */
  readonly #places = new Map<string, Place>();

  #at(text: string): Place {
    const known = this.#places.get(text);
    if (known) return known;
    let place = this.root;
    for (const name of readPath(text)) {
      let next = place.below.get(name);
      if (!next) {
        next = new Place();
        place.below.set(name, next);
      }
      place = next;
    }
    this.#places.set(text, place);
    return place;
  }

  register(entry: Entry): void {
    this.#at(entry.key).register = entry;
  }

  typed(path: string, type: Typed["type"], entry: Entry): void {
    const { typed } = this.#at(path);
    const known = typed.find((one) => one.type === type);
    if (known) known.entries.push(entry);
    else typed.push({ type, entries: [entry] });
  }

  typeAt(path: string): Typed["type"] | undefined {
    const place = this.#places.get(path);
    return place && shownType(place)?.type;
  }

  typedAt(path: string, type: Typed["type"]): Typed | undefined {
    return this.#places.get(path)?.typed.find((one) => one.type === type);
  }

  /** Whether a write at this very path stands in the place of what has a type there. */
  isHiddenAt(path: string): boolean {
    const register = this.#places.get(path)?.register;
    return register !== undefined && !saysPresent(register);
  }
}

/** The object that the entries stand for; names in the order of their code units, so that equal states are equal texts. */
export function resolve(tree: Tree, typedValue: (typed: Typed) => Json): Json {
  /** @param above the latest write on the way here that hides what is earlier */
  const at = (place: Place, above: Entry | undefined): Json | undefined => {
    const typed = shownType(place);
    if (typed) return typedValue(typed);
    const { register } = place;
    const own = register && !(above && compareStamps(above, register) > 0) ? register : undefined;
    const object = within(place, own && !saysObject(own) ? own : above);
    return object ?? (own?.state as readonly Json[] | undefined)?.[0];
  };
  const within = (place: Place, above: Entry | undefined): { [name: string]: Json } | undefined => {
    if (place.below.size === 0) return undefined;
    const members: [name: string, value: Json][] = [];
    for (const name of [...place.below.keys()].sort()) {
      const value = at(place.below.get(name) as Place, above);
      if (value !== undefined) members.push([name, value]);
    }
    // Not by assignment: a name may be one that it gives a meaning.
    return members.length > 0 ? Object.fromEntries(members) : undefined;
  };
  return within(tree.root, undefined) ?? {};
}
