import { PolicyPack } from "@pulumi/policy";
import { exceptionPolicies } from "./exception-policies";
import { rules } from "./rules";
import { baselinePolicy } from "./shared-baseline";

new PolicyPack("erlmcp-zero-trust", {
  policies: [baselinePolicy(), ...rules.map(({ policy }) => policy), ...exceptionPolicies()],
});
