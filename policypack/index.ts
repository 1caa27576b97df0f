import { PolicyPack } from "@pulumi/policy";
import { rules } from "./rules";

new PolicyPack("erlmcp-zero-trust", { policies: rules.map(({ policy }) => policy) });
