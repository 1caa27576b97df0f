import { field, type Plain } from "../plain-data";
import { isPortNumber, protocols, type Protocol } from "../port-set";
import type { PortMatch } from "./model";
import { fieldNames, numberFix, readChoice, readInteger, readObject } from "./read-fields";
import { notAllowed, type Report } from "./read-problem";

export const portNumbers = [1, 65535] as const;
export const portNameAllowed =
  "a name of 1 to 15 lower-case letters, digits and single hyphens inside, with a letter";

const portFields = fieldNames("protocol", "port", "endPort");

/** Whether a container's port can have the name (IANA_SVC_NAME, RFC 6335 section 5.1, in lower case). */
export function isPortName(text: string): boolean {
  return /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(text);
}

/** A protocol; TCP when it is missing or reported. */
export function readProtocol(value: Plain | undefined, at: string, report: Report): Protocol {
  if (value === undefined) return "TCP";
  return readChoice(value, at, protocols, report) ?? "TCP";
}

/** A port of a NetworkPolicy's rule (`networking.k8s.io/v1` NetworkPolicyPort). */
export function readPolicyPort(value: Plain, at: string, report: Report): PortMatch {
  const entry = readObject(value, at, portFields, report);
  const protocol = readProtocol(field(entry, "protocol"), `${at}.protocol`, report);
  const port = field(entry, "port");
  const endPort = field(entry, "endPort");
  if (endPort !== undefined && typeof port !== "number") {
    const fix =
      port === undefined
        ? "add port, the first port of the range"
        : "remove endPort, or write port as a number";
    report(notAllowed(endPort, { at: `${at}.endPort`, allowed: "endPort only with a port number", fix }));
  }
  if (port === undefined) return { kind: "numbers", protocol, first: portNumbers[0], last: portNumbers[1] };
  if (typeof port === "string" && isPortName(port)) return { kind: "name", protocol, name: port };
  if (!isPortNumber(port)) {
    const allowed = `a whole number from 1 to 65535, or ${portNameAllowed}`;
    const fix = numberFix(port, ...portNumbers) ?? "write the port";
    report(notAllowed(port, { at: `${at}.port`, allowed, fix }));
    return { kind: "name", protocol, name: "" };
  }
  const last =
    endPort === undefined ? port : readInteger(endPort, `${at}.endPort`, [port, portNumbers[1]], report);
  return { kind: "numbers", protocol, first: port, last: last ?? port };
}
