import { ZeroTrustNetwork } from "./components";
import { readNetwork } from "./components/config";

const network = new ZeroTrustNetwork("network", readNetwork());

/** Namespaces this stack creates or adopts. */
export const namespaces = network.namespaces;

/** Names of the deployed NetworkPolicies by namespace. */
export const policies = network.policies;

/** The communication matrix, row by row: id, from, to, ports, purpose, and the policies that open it. */
export const matrix = network.matrix;

/**
 * Configuration of the policy pack with which other stacks are judged together with this one: `pulumi stack output policyPackConfig
 * --json` writes it for `--policy-pack-config`.
 */
export const policyPackConfig = network.policyPackConfig;
