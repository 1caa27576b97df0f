/**
 * What is mutated together: the modules of a folder, but for some, and the specs that judge it. Quick specs only, those that kill
 * most first, because a mutant needs no further test once one fails.
 */
export const parts = {
  /** The rules of the policy pack. */
  rules: {
    folder: "policypack/rules",
    except: ["index"],
    specs: ["test/policypack/rules/!(index).spec.ts", "test/policypack/rules/index.spec.ts"],
  },
  /** What rules are made with: set algebra, configuration, exceptions, the reading of objects, the comparison with the matrix. */
  support: {
    folder: "policypack",
    except: ["catalogue", "frameworks", "index", "without-arborist"],
    specs: [
      "test/policypack/!(catalogue|golden|independence|serve|without-arborist).spec.ts",
      "test/policypack/rules/!(index).spec.ts",
      "test/policypack/rules/index.spec.ts",
      "test/policypack/catalogue.spec.ts",
    ],
  },
  /** The reachability engine. */
  engine: {
    folder: "policypack/reachability",
    except: [],
    specs: [
      "test/policypack/reachability/!(arbitrary-cluster|brute-force|engine-against-brute-force|read-mutations).spec.ts",
      "test/policypack/reachability/engine-against-brute-force.spec.ts",
      "test/policypack/reachability/read-mutations.spec.ts",
    ],
  },
};
