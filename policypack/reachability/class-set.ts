/** A set of pod classes, by number, ascending. Sets of one table with the same members are the same object. */
export interface ClassSet {
  readonly id: number;
  readonly members: Int32Array;
}

type Members = ArrayLike<number> & Iterable<number>;

/** Makes sets of classes, each once, and remembers what it computed of them. */
export class ClassSets {
  readonly none: ClassSet;
  private readonly byHash = new Map<number, ClassSet[]>();
  private readonly unions = new Map<string, ClassSet>();
  private count = 0;

  constructor() {
    this.none = this.of([]);
  }

  /** The set with these members, which are ascending and each there once. */
  of(members: Members): ClassSet {
    const hash = hashOf(members);
    let bucket = this.byHash.get(hash);
    if (bucket === undefined) this.byHash.set(hash, (bucket = []));
    const known = bucket.find((set) => sameMembers(set.members, members));
    if (known !== undefined) return known;
    const set: ClassSet = { id: this.count++, members: Int32Array.from(members) };
    bucket.push(set);
    return set;
  }

  /** The set with these members, in any order and any number of times. */
  ofAny(members: readonly number[]): ClassSet {
    const sorted = Int32Array.from(members).sort();
    let last = -1;
    let kept = 0;
    for (const member of sorted) {
      if (member !== last) sorted[kept++] = member;
      last = member;
    }
    return this.of(sorted.subarray(0, kept));
  }

  union(sets: readonly ClassSet[]): ClassSet {
    const distinct = [...new Set(sets)];
    const key = distinct.map((set) => set.id).join();
    let union = this.unions.get(key);
    if (union === undefined) {
      const members: number[] = [];
      for (const set of distinct) for (const member of set.members) members.push(member);
      union = this.ofAny(members);
      this.unions.set(key, union);
    }
    return union;
  }

  /** The members of a set that are not among those removed; the set itself when none of them is. */
  without(set: ClassSet, removed: { has(member: number): boolean }): ClassSet {
    const rest = set.members.filter((member) => !removed.has(member));
    return rest.length === set.members.length ? set : this.of(rest);
  }
}

/** Whether a class is a member, by halving. */
export function hasMember({ members }: ClassSet, wanted: number): boolean {
  let low = 0;
  let high = members.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const member = members[middle] ?? -1;
    if (member === wanted) return true;
    if (member < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

function hashOf(members: Members): number {
  let hash = members.length;
  for (const member of members) hash = (Math.imul(hash, 31) + member) | 0;
  return hash;
}

function sameMembers(a: Int32Array, b: Members): boolean {
  return a.length === b.length && a.every((member, index) => member === b[index]);
}
