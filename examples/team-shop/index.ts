import { Config } from "@pulumi/pulumi";
import { compliant } from "./compliant";
import { violating } from "./violating";

const form = new Config("team-shop").require("form");
switch (form) {
  case "compliant":
    compliant();
    break;
  case "violating":
    violating();
    break;
  default:
    throw new Error(
      `team-shop:form is "${form}". Allowed: compliant, violating. Fix: pulumi config set form compliant`,
    );
}
