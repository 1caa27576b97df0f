import { declareValuePlugin, PluginKind } from "@stryker-mutator/api/plugin";

/**
 * Leaves out the question whether something is in a cache: `if (found === undefined) { found = …; cache.set(…); }`. Without it the
 * answer is the same, only later, so no test can tell. An `else` makes it another question, which is mutated.
 */
const caches = {
  shouldIgnore(path) {
    const statement = path.parentPath;
    if (path.key !== "test" || !statement.isIfStatement() || statement.node.alternate) return undefined;
    const { type, operator, left, right } = path.node;
    const asksForNothing =
      type === "BinaryExpression" &&
      operator === "===" &&
      left.type === "Identifier" &&
      right.type === "Identifier" &&
      right.name === "undefined";
    if (!asksForNothing) return undefined;
    let isFilled = false;
    let isKept = false;
    statement.get("consequent").traverse({
      AssignmentExpression({ node }) {
        if (node.left.type === "Identifier" && node.left.name === left.name) isFilled = true;
      },
      CallExpression({ node }) {
        if (node.callee.type === "MemberExpression" && node.callee.property.name === "set") isKept = true;
      },
    });
    return isFilled && isKept ? "a cache saves time and changes no answer" : undefined;
  },
};

/** Leaves out empty lists: the mutant has a text in it, which the compiler refuses for most lists. Those of texts are left out as well. */
const emptyLists = {
  shouldIgnore({ node }) {
    return node.type === "ArrayExpression" && node.elements.length === 0
      ? "a list with a text in it does not compile"
      : undefined;
  },
};

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, "caches", caches),
  declareValuePlugin(PluginKind.Ignore, "empty-lists", emptyLists),
];
