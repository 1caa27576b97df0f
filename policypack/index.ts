import "./without-arborist";
import { PolicyPack } from "@pulumi/policy";
import { exceptionPolicies } from "./exception-policies";
import { readEachResourceOnce } from "./read-once";
import { rules } from "./rules";
import { baselinePolicy } from "./shared-baseline";

readEachResourceOnce();

new PolicyPack("erlmcp-zero-trust", {
  policies: [baselinePolicy(), ...rules.map(({ policy }) => policy), ...exceptionPolicies()],
});
