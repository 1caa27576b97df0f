import { PolicyPack } from "@pulumi/policy";
import { exceptionPolicies } from "./exception-policies";
import { rules } from "./rules";

new PolicyPack("erlmcp-zero-trust", {
  policies: [...rules.map(({ policy }) => policy), ...exceptionPolicies()],
});
