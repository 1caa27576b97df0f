import { field, isList, isObject, isUnknown, type Plain, type PlainObject } from "../plain-data";
import { KindTable, type Handling } from "./read-kinds";
import { notAllowed, type FieldProblem, type SourceObject } from "./read-problem";

/** One object that is no List, with the place it was found in. */
export interface FoundObject {
  readonly object: SourceObject;
  /** Goes before every path within the body: "", or in a List `items[2].`. */
  readonly path: string;
  readonly body: PlainObject;
  readonly kind: string;
  readonly handling: Extract<Handling, { use: "read" | "note" }>;
}

/** Takes each object that counts, and what is no object that can be told from another. */
export interface ObjectVisitor {
  found(object: FoundObject): void;
  problem(object: SourceObject, title: string, problem: FieldProblem): void;
}

interface OpenList {
  readonly items: readonly Plain[];
  /** Path of the List: "" or `items[2].`. */
  readonly path: string;
  readonly of: ItemKind | undefined;
  next: number;
}

interface ItemKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * Visits objects in order, and the items of Lists, however deep they are nested. Objects of kinds that make no difference
 * are passed over; an object without kind or apiVersion is a problem, unless it is the item of a typed list, which need not have
 * them.
 */
export function visitObjects(objects: Iterable<SourceObject>, visitor: ObjectVisitor): void {
  const kinds = new KindTable();
  for (const object of objects) {
    // Lists in lists are kept on a stack of their own: a hostile input nests them deeper than calls can go.
    const open: OpenList[] = [];
    visit(object, object.body, "", undefined, kinds, visitor, open);
    for (let list = open.at(-1); list !== undefined; list = open.at(-1)) {
      const index = list.next++;
      if (index >= list.items.length) open.pop();
      else {
        const path = `${list.path}items[${index}].`;
        visit(object, list.items[index] ?? null, path, list.of, kinds, visitor, open);
      }
    }
  }
}

function visit(
  object: SourceObject,
  body: Plain,
  path: string,
  of: ItemKind | undefined,
  kinds: KindTable,
  visitor: ObjectVisitor,
  open: OpenList[],
): void {
  const report = (problem: FieldProblem): void => {
    const kind = field(body, "kind") ?? of?.kind;
    const title = titleOf(typeof kind === "string" && kind !== "" ? kind : "Object", body);
    visitor.problem(object, title, { ...problem, at: path + problem.at });
  };
  if (!isObject(body)) {
    const at = path.slice(0, -1);
    const allowed = "an object with apiVersion, kind and metadata";
    visitor.problem(
      object,
      "Object",
      notAllowed(body, { at, allowed, fix: "write an object, or remove it" }),
    );
    return;
  }
  const apiVersion = field(body, "apiVersion") ?? of?.apiVersion;
  const kind = field(body, "kind") ?? of?.kind;
  if (typeof kind !== "string" || kind === "") {
    report(
      notAllowed(kind, { at: "kind", allowed: "the name of a kind", fix: "write kind, such as Deployment" }),
    );
    return;
  }
  if (typeof apiVersion !== "string" || apiVersion === "") {
    const fix = "write apiVersion, such as apps/v1";
    report(notAllowed(apiVersion, { at: "apiVersion", allowed: "group/version, or v1", fix }));
    return;
  }
  const handling = kinds.handling(apiVersion, kind);
  switch (handling.use) {
    case "ignore":
      return;
    case "refuse": {
      const { at, allowed, fix } = handling;
      report(notAllowed(at === "kind" ? kind : apiVersion, { at, allowed, fix }));
      return;
    }
    case "items": {
      const items = field(body, "items");
      if (isList(items)) open.push({ items, path, of: handling.of, next: 0 });
      else if (items !== undefined) {
        report(notAllowed(items, { at: "items", allowed: "a list of objects", fix: "write a list" }));
      }
      return;
    }
    default:
      visitor.found({ object, path, body, kind, handling });
  }
}

/** How messages name an object: `NetworkPolicy erlmcp/web`, or only by its kind where it has no name. */
export function titleOf(kind: string, body: Plain, namespace?: string): string {
  const metadata = field(body, "metadata");
  const name = field(metadata, "name");
  if (typeof name === "string" && name !== "") {
    return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  }
  return isUnknown(name) || isUnknown(metadata) ? `${kind} (name not known)` : kind;
}
